Instance: ana-ruiz
InstanceOf: CasebridgeCaseManager
Usage: #example
Title: "Ana Ruiz"
Description: "Invented. Covers for Victoria in September."
* active = true
* identifier.system = "https://harbor.example/staff"
* identifier.value = "S-22"
* name.family = "Ruiz"
* name.given = "Ana"

Instance: ana-ruiz-at-harbor
InstanceOf: CasebridgeCaseManagerRole
Usage: #example
Title: "Ana Ruiz at Harbor"
Description: "Invented."
* active = true
* practitioner = Reference(ana-ruiz)
* organization = Reference(harbor-recovery-services)
* code = $SCT#768832004
* telecom.system = #phone
* telecom.value = "+1-303-555-0112"

Instance: northside-transitional-housing
InstanceOf: CasebridgeProgramme
Usage: #example
Title: "Northside transitional housing"
Description: "Invented. A programme with room; conforms to SDOHCC HealthcareService too."
* meta.profile[0] = "https://casebridge.example/fhir/StructureDefinition/casebridge-programme"
* meta.profile[1] = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-HealthcareService"
* extension[capacityStatus].extension[capacityStatus].valueCodeableConcept = $SDOHCC#capacity
* active = true
* providedBy = Reference(northside-housing)
* category = ServiceAreaCS#housing "Housing"
* name = "Transitional housing for families"
* comment = "Call for an appointment; bring an identity document if there is one."
* telecom.extension[0].url = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionHealthcareServiceTelecomAppointment"
* telecom.extension[0].valueBoolean = true
* telecom.system = #phone
* telecom.value = "+1-303-555-0160"
* coverageArea.display = "Denver County"
* communication = $BCP47#es
* appointmentRequired = true
* availableTime.daysOfWeek[0] = #mon
* availableTime.availableStartTime = "09:00:00"
* availableTime.availableEndTime = "16:00:00"

Instance: lakeview-autumn-course-closed
InstanceOf: CasebridgeProgramme
Usage: #example
Title: "A closed programme"
Description: "Invented. Can still be named by old referrals, and receives no new ones."
* active = false
* providedBy.display = "Lakeview Employment Center"
* name = "Autumn course 2025"

Instance: prapare-response-leslie
InstanceOf: CasebridgeAssessmentResponse
Usage: #example
Title: "PRAPARE, Leslie"
Description: "Invented. Part of the answers of 3 March 2026, at home, with her mother."
* extension[tookPart].valueReference.display = "Pilar Moreno"
* meta.security = $Confidentiality#R
* identifier.system = "https://harbor.example/assessments"
* identifier.value = "A-510"
* questionnaire = "http://hl7.org/fhir/us/sdoh-clinicalcare/Questionnaire/SDOHCC-QuestionnairePRAPARE"
* status = #completed
* subject = Reference(leslie-moreno)
* encounter = Reference(encounter-home-visit)
* authored = "2026-03-03T14:00:00-07:00"
* author = Reference(victoria-chen-at-harbor)
* source = Reference(leslie-moreno)
* item.linkId = "/93025-5"
* item.item.linkId = "/93042-0"
* item.item.item.linkId = "/93042-0/71802-3"
* item.item.item.text = "Housing status"
* item.item.item.answer.valueCoding = $LNC#LA30190-5

Instance: observation-housing-status
InstanceOf: CasebridgeAssessmentObservation
Usage: #example
Title: "Housing status"
Description: "Invented. Taken from the PRAPARE response; an SDOHCC screening response too."
* meta.profile[0] = "https://casebridge.example/fhir/StructureDefinition/casebridge-assessment-observation"
* meta.profile[1] = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ObservationScreeningResponse"
* status = #final
* category[survey] = $observation-category#survey
* category[screening-assessment] = $us-core-category#sdoh
* category[2] = $SDOHCC#housing-instability
* code = $LNC#71802-3
* subject = Reference(leslie-moreno)
* effectiveDateTime = "2026-03-03T14:00:00-07:00"
* performer = Reference(leslie-moreno)
* valueCodeableConcept = $LNC#LA30190-5
* derivedFrom = Reference(prapare-response-leslie)

Instance: observation-audit-c-score
InstanceOf: CasebridgeAssessmentObservation
Usage: #example
Title: "AUDIT-C score"
Description: "Invented. Substance use information: it carries its labels."
* meta.security[0] = $ActCode#42CFRPart2
* meta.security[1] = $ActCode#ETH
* meta.security[2] = $Confidentiality#R
* status = #final
* category[survey] = $observation-category#survey
* code = $LNC#75626-2
* subject = Reference(leslie-moreno)
* effectiveDateTime = "2026-03-03"
* performer = Reference(victoria-chen)
* valueInteger = 7
* derivedFrom.display = "AUDIT-C of 3 March 2026"

Instance: observation-refused
InstanceOf: CasebridgeAssessmentObservation
Usage: #example
Title: "A refused answer"
Description: "Invented. Refused is said, not left out."
* status = #final
* category[survey] = $observation-category#survey
* code = $LNC#93038-8
* subject = Reference(leslie-moreno)
* effectiveDateTime = "2026-03-03"
* performer = Reference(leslie-moreno)
* dataAbsentReason = http://terminology.hl7.org/CodeSystem/data-absent-reason#asked-declined

Instance: need-housing
InstanceOf: CasebridgeNeed
Usage: #example
Title: "Housing instability"
Description: "Invented. A social need, so an SDOHCC Condition as well."
* meta.profile[0] = "https://casebridge.example/fhir/StructureDefinition/casebridge-need"
* meta.profile[1] = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-Condition"
* clinicalStatus = http://terminology.hl7.org/CodeSystem/condition-clinical#active
* verificationStatus = http://terminology.hl7.org/CodeSystem/condition-ver-status#confirmed
* category[us-core] = http://hl7.org/fhir/us/core/CodeSystem/condition-category#health-concern
* category[screening-assessment] = $us-core-category#sdoh
* category[serviceArea] = ServiceAreaCS#housing
* category[3] = $SDOHCC#housing-instability
* code = $ICD10CM#Z59.819
* subject = Reference(leslie-moreno)
* recordedDate = "2026-03-05"
* evidence.detail = Reference(observation-housing-status)

Instance: goal-home
InstanceOf: CasebridgeGoal
Usage: #example
Title: "A place of our own"
Description: "Invented. In Leslie's words."
* extension[acceptance].extension[individual].valueReference = Reference(leslie-moreno)
* extension[acceptance].extension[status].valueCode = #agree
* identifier.system = "https://harbor.example/goals"
* identifier.value = "G-1"
* lifecycleStatus = #active
* achievementStatus = $goal-achievement#in-progress
* category[SDOHCC] = $SDOHCC#housing-instability
* description.text = "A place of our own before school starts again, where the kids can each have a bed."
* subject = Reference(leslie-moreno)
* startDate = "2026-03-09"
* target.dueDate = "2026-08-15"
* expressedBy = Reference(leslie-moreno)
* addresses = Reference(need-housing)

Instance: care-team-leslie
InstanceOf: CasebridgeCareTeam
Usage: #example
Title: "Leslie's team"
Description: "Invented. September 2026: Victoria leads, Ana covers, Marcus takes part for Northside."
* identifier.system = "https://harbor.example/teams"
* identifier.value = "CT-2041"
* status = #active
* category = $LNC#LA28865-6
* subject = Reference(leslie-moreno)
* period.start = "2026-03-02"
* participant[0].extension[primary].valueBoolean = true
* participant[0].role = $SCT#768832004 "Case manager"
* participant[0].member = Reference(victoria-chen)
* participant[0].onBehalfOf = Reference(harbor-recovery-services)
* participant[0].period.start = "2026-03-02"
* participant[1].extension[coversFor].valueReference = Reference(victoria-chen-at-harbor)
* participant[1].role = CaseRoleCS#covering-case-manager
* participant[1].member = Reference(ana-ruiz-at-harbor)
* participant[1].period.start = "2026-09-01"
* participant[1].period.end = "2026-09-30"
* participant[2].role = $SCT#768832004
* participant[2].member = Reference(marcus-bell)
* participant[2].onBehalfOf = Reference(northside-housing)
* participant[2].period.start = "2026-04-01"
* participant[3].role = CaseRoleCS#client
* participant[3].member = Reference(leslie-moreno)
* managingOrganization = Reference(harbor-recovery-services)

Instance: care-plan-leslie
InstanceOf: CasebridgeCarePlan
Usage: #example
Title: "Leslie's recovery support plan"
Description: "Invented. Signed 9 March 2026 by both; the signature is provenance-plan-signed."
* extension[intensity].valueCodeableConcept.text = "Intensive"
* extension[crisisProcedure].valueMarkdown = "Call the Harbor line at any hour; if drinking, also call Pilar. Do not send the police without asking."
* extension[nextReview].valueDate = "2026-06-09"
* text.status = #additional
* text.div = "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Plan of Leslie Moreno: a place of our own; a job; evenings without drinking.</p></div>"
* identifier.system = "https://harbor.example/plans"
* identifier.value = "P-2041-1"
* status = #active
* intent = #plan
* category[AssessPlan] = $careplan-category#assess-plan
* category[kind] = PlanCategoryCS#rss-plan
* title = "Our plan"
* subject = Reference(leslie-moreno)
* period.start = "2026-03-09"
* created = "2026-03-09"
* author = Reference(victoria-chen-at-harbor)
* contributor = Reference(leslie-moreno)
* careTeam = Reference(care-team-leslie)
* addresses = Reference(need-housing)
* supportingInfo = Reference(prapare-response-leslie)
* goal = Reference(goal-home)
* activity[0].reference = Reference(referral-housing)
* activity[1].detail.status = #in-progress
* activity[1].detail.description = "Goes with Leslie to the school to arrange places"
* activity[1].detail.performer = Reference(victoria-chen-at-harbor)

Instance: provenance-plan-signed
InstanceOf: CasebridgeProvenance
Usage: #example
Title: "The plan, signed"
Description: "Invented. Worker and client signed the first version on 9 March 2026."
* target = Reference(care-plan-leslie)
* occurredDateTime = "2026-03-09"
* recorded = "2026-03-09T15:05:00-06:00"
* agent[ProvenanceAuthor].type = $provenance-participant-type#author
* agent[ProvenanceAuthor].who = Reference(victoria-chen-at-harbor)
* agent[ProvenanceAuthor].onBehalfOf = Reference(harbor-recovery-services)
* agent[1].type = $provenance-participant-type#attester
* agent[1].who = Reference(leslie-moreno)
* entity.role = #source
* entity.what.identifier.system = "https://harbor.example/plans"
* entity.what.identifier.value = "P-2041-1"
* entity.extension[recordVersion].valueString = "1"
* signature[0].type = $signature-type#1.2.840.10065.1.12.1.1
* signature[0].when = "2026-03-09T15:00:00-06:00"
* signature[0].who = Reference(victoria-chen-at-harbor)
* signature[1].type = $signature-type#1.2.840.10065.1.12.1.5
* signature[1].when = "2026-03-09T15:01:00-06:00"
* signature[1].who = Reference(leslie-moreno)

Instance: episode-leslie
InstanceOf: CasebridgeEpisode
Usage: #example
Title: "Leslie's case at Harbor"
Description: "Invented. Open since 2 March 2026, led by Victoria."
* meta.security = $ActCode#42CFRPart2
* identifier.system = "https://harbor.example/cases"
* identifier.value = "CASE-2041"
* status = #active
* type = $service-type#279 "Case Management"
* patient = Reference(leslie-moreno)
* managingOrganization = Reference(harbor-recovery-services)
* period.start = "2026-03-02"
* referralRequest = Reference(referral-case-management)
* careManager = Reference(victoria-chen-at-harbor)
* team = Reference(care-team-leslie)

Instance: encounter-home-visit
InstanceOf: CasebridgeEncounter
Usage: #example
Title: "Home visit"
Description: "Invented. Intake assessment at Leslie's home, 3 March 2026, ninety minutes, her mother present."
* extension[directContact].valueBoolean = true
* extension[nextSteps].valueMarkdown = "Victoria calls Northside; Leslie asks the school about places."
* identifier.system = "https://harbor.example/contacts"
* identifier.value = "E-9001"
* status = #finished
* class = $ActCode#HH "home health"
* type[activity][0] = ActivityCS#planning "Service planning"
* type[1] = $HCPCS#T1016 "Case management, each 15 minutes"
* subject = Reference(leslie-moreno)
* episodeOfCare = Reference(episode-leslie)
* participant[0].individual = Reference(victoria-chen)
* participant[1].individual.display = "Pilar Moreno"
* period.start = "2026-03-03T13:30:00-07:00"
* period.end = "2026-03-03T15:00:00-07:00"
* reasonCode.text = "Intake assessment"
* serviceProvider = Reference(harbor-recovery-services)

Instance: encounter-missed
InstanceOf: CasebridgeEncounter
Usage: #example
Title: "A missed contact"
Description: "Invented. Telephone contact that did not take place; still recorded, and not counted."
* extension[directContact].valueBoolean = false
* status = #cancelled
* class = $ActCode#VR "virtual"
* type[activity][0] = ActivityCS#monitoring
* subject = Reference(leslie-moreno)
* period.start = "2026-06-18"

Instance: service-housing-started
InstanceOf: CasebridgeServiceDelivered
Usage: #example
Title: "Moved in"
Description: "Invented. What Northside did; it closes the referral."
* basedOn = Reference(referral-housing)
* status = #completed
* code = $SCT#710911006
* code.text = "Room 12, transitional housing"
* subject = Reference(leslie-moreno)
* performedPeriod.start = "2026-03-16"
* performedPeriod.end = "2026-12-31"
* performer.actor = Reference(northside-housing)
* reasonReference = Reference(need-housing)

Instance: referral-task-housing-done
InstanceOf: CasebridgeReferralTask
Usage: #example
Title: "Housing referral, completed"
Description: "Invented. With what was delivered and the evidence of linkage."
* status = #completed
* businessStatus = ReferralBusinessStatusCS#service-confirmed
* intent = #order
* code = $task-code#fulfill
* focus = Reference(referral-housing)
* for = Reference(leslie-moreno)
* executionPeriod.start = "2026-03-16"
* authoredOn = "2026-03-09T15:20:00-06:00"
* lastModified = "2026-03-18T10:00:00-06:00"
* requester = Reference(victoria-chen-at-harbor)
* owner = Reference(northside-housing)
* output[PerformedActivityReference].type = $SDOHCC#resulting-activity
* output[PerformedActivityReference].valueReference = Reference(service-housing-started)
* output[LinkageEvidence].type = TaskDetailCS#linkage-evidence
* output[LinkageEvidence].valueReference = Reference(encounter-home-visit)

Instance: patient-task-questionnaire
InstanceOf: CasebridgePatientTask
Usage: #example
Title: "Please answer before the review"
Description: "Invented. Leslie is asked for the client self-report before the quarterly review."
* status = #ready
* intent = #order
* priority = #routine
* code = $SDOHCC#risk-questionnaire
* description = "A few questions before we look at the plan again."
* for = Reference(leslie-moreno)
* authoredOn = "2026-05-26T09:00:00-06:00"
* requester = Reference(victoria-chen-at-harbor)
* owner = Reference(leslie-moreno)
* restriction.period.end = "2026-06-05"
* input[Questionnaire].type = $SDC-temp#questionnaire
* input[Questionnaire].valueCanonical = "https://casebridge.example/fhir/Questionnaire/client-self-report"

Instance: duplicate-budgeting
InstanceOf: CasebridgeDuplicate
Usage: #example
Title: "The same budgeting course twice"
Description: "Invented. Victoria and Marcus had asked for the same course; Marcus withdrew his."
* identifier.system = "https://casebridge.example/fhir/identifier/duplicate"
* identifier.value = "0f6f3f0e-9a0c-5c34-8b0e-3c1d6a2f4b17"
* status = #final
* severity = #moderate
* patient = Reference(Patient/leslie-moreno/_history/1)
* identifiedDateTime = "2026-04-14T15:20:00Z"
* implicated[0] = Reference(ServiceRequest/budgeting-harbor/_history/1)
* implicated[0].display = "Budgeting and financial counseling: Harbor Recovery Services"
* implicated[1] = Reference(ServiceRequest/budgeting-northside/_history/1)
* implicated[1].display = "Budgeting and financial counseling: Northside Housing Partnership"
* detail = "certain: the same service at the same time"
* mitigation.action = http://terminology.hl7.org/CodeSystem/v3-ActCode#13 "Stopped Concurrent Therapy"
* mitigation.action.text = "withdrawn"
* mitigation.date = "2026-04-15T09:00:00Z"

Instance: due-task-confirm-start
InstanceOf: CasebridgeDueTask
Usage: #example
Title: "Confirm that Leslie moved in"
Description: "Invented. T1: two working days after the scheduled start of 16 March 2026."
* status = #requested
* intent = #order
* priority = #routine
* code = DueTaskCS#confirm-initiation
* focus = Reference(referral-housing)
* for = Reference(leslie-moreno)
* authoredOn = "2026-03-11T09:40:00-06:00"
* owner = Reference(victoria-chen-at-harbor)
* restriction.period.start = "2026-03-16"
* restriction.period.end = "2026-03-18"
* reasonReference = Reference(referral-task-housing)

Instance: due-task-gpra-follow-up
InstanceOf: CasebridgeDueTask
Usage: #example
Title: "GPRA follow-up interview"
Description: "Invented. T17: intake on 3 March 2026, window from 3 August to 3 November."
* status = #requested
* intent = #order
* code = DueTaskCS#gpra-followup
* for = Reference(leslie-moreno)
* authoredOn = "2026-03-03T15:00:00-07:00"
* owner = Reference(victoria-chen-at-harbor)
* restriction.period.start = "2026-08-03"
* restriction.period.end = "2026-11-03"
* reasonReference = Reference(gpra-intake-leslie)

Instance: gpra-intake-leslie
InstanceOf: CasebridgeGpraResponse
Usage: #example
Title: "GPRA intake interview"
Description: "Invented. The first answers only."
* extension[interview].extension[grant].valueString = "TI000001"
* extension[interview].extension[clientId].valueString = "HRB00002041"
* extension[interview].extension[type].valueCode = #1
* extension[interview].extension[sequence].valuePositiveInt = 1
* extension[interview].extension[conducted].valueBoolean = true
* meta.security[0] = $ActCode#42CFRPart2
* meta.security[1] = $ActCode#SUD
* meta.security[2] = $Confidentiality#R
* identifier.system = "https://casebridge.example/fhir/identifier/gpra-interview"
* identifier.value = "TI000001|HRB00002041|1|1"
* questionnaire = "https://casebridge.example/fhir/Questionnaire/csat-gpra|2019.1"
* status = #completed
* subject = Reference(leslie-moreno)
* encounter = Reference(encounter-home-visit)
* authored = "2026-03-03T14:30:00-07:00"
* author = Reference(victoria-chen-at-harbor)
* item.linkId = "gpra.B.1.a"
* item.answer.valueInteger = 12

Instance: gpra-follow-up-not-conducted
InstanceOf: CasebridgeGpraResponse
Usage: #example
Title: "GPRA follow-up, not conducted"
Description: "Invented. Located but refused: a record is still owed."
* extension[interview].extension[grant].valueString = "TI000001"
* extension[interview].extension[clientId].valueString = "HRB00002077"
* extension[interview].extension[type].valueCode = #2
* extension[interview].extension[sequence].valuePositiveInt = 1
* extension[interview].extension[conducted].valueBoolean = false
* extension[interview].extension[status].valueCode = #21
* meta.security[0] = $ActCode#42CFRPart2
* identifier.system = "https://casebridge.example/fhir/identifier/gpra-interview"
* identifier.value = "TI000001|HRB00002077|2|1"
* questionnaire = "https://casebridge.example/fhir/Questionnaire/csat-gpra|2019.1"
* status = #completed
* subject = Reference(leslie-moreno)
* authored = "2026-10-30"
* author = Reference(victoria-chen-at-harbor)

Instance: audit-patient-read
InstanceOf: CasebridgeAuditEvent
Usage: #example
Title: "A read of Leslie's referral"
Description: "Invented. BALP PatientRead by Northside's system."
* meta.profile[0] = "https://casebridge.example/fhir/StructureDefinition/casebridge-audit-event"
* meta.profile[1] = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
* type = http://terminology.hl7.org/CodeSystem/audit-event-type#rest
* subtype = http://hl7.org/fhir/restful-interaction#read
* action = #R
* recorded = "2026-03-11T15:39:58Z"
* outcome = #0
* purposeOfEvent = $ActReason#COC
* agent[0].type = http://dicom.nema.org/resources/ontology/DCM#110152
* agent[0].who = Reference(northside-housing)
* agent[0].requestor = true
* agent[0].network.address = "192.0.2.10"
* agent[0].network.type = #2
* agent[1].type = http://dicom.nema.org/resources/ontology/DCM#110153
* agent[1].who.display = "Casebridge"
* agent[1].requestor = false
* agent[1].network.address = "https://casebridge.example/fhir"
* agent[1].network.type = #5
* source.observer.display = "Casebridge"
* source.type = http://terminology.hl7.org/CodeSystem/security-source-type#4
* entity[0].what = Reference(referral-housing)
* entity[0].type = http://terminology.hl7.org/CodeSystem/audit-entity-type#2
* entity[0].role = http://terminology.hl7.org/CodeSystem/object-role#4
* entity[1].what = Reference(leslie-moreno)
* entity[1].type = http://terminology.hl7.org/CodeSystem/audit-entity-type#1
* entity[1].role = http://terminology.hl7.org/CodeSystem/object-role#1
* entity[2].what.identifier.value = "0c9e4b6e-7a0f-4a53-9d57-2f3c1e1b7d11"
* entity[2].type = https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType#XrequestId

Instance: disclosure-referral-northside
InstanceOf: CasebridgeAuditDisclosure
Usage: #example
Title: "Disclosure to Northside"
Description: "Invented. The row Leslie will find in her accounting of disclosures."
* extension[basis].valueCode = #consent
* type = http://dicom.nema.org/resources/ontology/DCM#110106
* subtype[disclosure] = http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle#disclose
* action = #R
* recorded = "2026-03-09T21:20:09Z"
* outcome = #0
* purposeOfEvent = $ActReason#COC
* agent[source].type = http://dicom.nema.org/resources/ontology/DCM#110153
* agent[source].who = Reference(harbor-recovery-services)
* agent[source].requestor = false
* agent[source].network.address = "https://casebridge.example/fhir"
* agent[source].network.type = #5
* agent[recipient].type = http://dicom.nema.org/resources/ontology/DCM#110152
* agent[recipient].who = Reference(northside-housing)
* agent[recipient].requestor = false
* agent[recipient].network.address = "192.0.2.10"
* agent[recipient].network.type = #2
* source.observer = Reference(harbor-recovery-services)
* source.type = http://terminology.hl7.org/CodeSystem/security-source-type#4
* entity[patient].what = Reference(leslie-moreno)
* entity[patient].type = http://terminology.hl7.org/CodeSystem/audit-entity-type#1
* entity[patient].role = http://terminology.hl7.org/CodeSystem/object-role#1
* entity[1].what = Reference(referral-housing)
* entity[1].type = http://terminology.hl7.org/CodeSystem/audit-entity-type#2
* entity[1].role = http://terminology.hl7.org/CodeSystem/object-role#4
* entity[1].description = "Referral to transitional housing of 9 March 2026"
* entity[2].what = Reference(consent-leslie-2026)
* entity[2].type = http://terminology.hl7.org/CodeSystem/audit-entity-type#2
* entity[2].role = http://terminology.hl7.org/CodeSystem/object-role#4
* entity[2].description = "Consent of 5 March 2026"

Instance: disclosure-emergency
InstanceOf: CasebridgeAuditDisclosure
Usage: #example
Title: "Disclosure in an emergency"
Description: "Invented. 42 CFR 2.51: without consent, with its four facts."
* extension[basis].valueCode = #emergency
* extension[emergencyNature].valueString = "Found unconscious; emergency department asks for medication"
* type = http://dicom.nema.org/resources/ontology/DCM#110106
* subtype[disclosure] = http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle#disclose
* recorded = "2026-07-02T03:12:00Z"
* outcome = #0
* purposeOfEvent = $ActReason#BTG
* agent[source].type = http://dicom.nema.org/resources/ontology/DCM#110153
* agent[source].who = Reference(harbor-recovery-services)
* agent[source].requestor = false
* agent[source].network.address = "https://casebridge.example/fhir"
* agent[source].network.type = #5
* agent[recipient].type = http://dicom.nema.org/resources/ontology/DCM#110152
* agent[recipient].who.display = "Dr. Ines Duarte, Riverbend Family Health, emergency department"
* agent[recipient].requestor = true
* agent[recipient].network.address = "192.0.2.44"
* agent[recipient].network.type = #2
* source.observer = Reference(harbor-recovery-services)
* entity[patient].what = Reference(leslie-moreno)
* entity[patient].type = http://terminology.hl7.org/CodeSystem/audit-entity-type#1
* entity[patient].role = http://terminology.hl7.org/CodeSystem/object-role#1
* entity[1].what = Reference(care-plan-leslie)
* entity[1].type = http://terminology.hl7.org/CodeSystem/audit-entity-type#2
* entity[1].role = http://terminology.hl7.org/CodeSystem/object-role#4
* entity[1].description = "Care plan"
