Profile: CasebridgeProgramme
Parent: HealthcareService
Id: casebridge-programme
Title: "Programme"
Description: "A service an agency offers, with who may use it and whether there is room. Not derived from SDOHCC HealthcareService, which fixes active to true and so could never say that a programme has closed; an active programme with an appointment telephone conforms to both, and examples claim both."
* insert Must(identifier, [[Directories (HSDS, Open Referral) are merged by it.]])
* insert Must(active, [[A closed programme receives no referral (004 CA-CM 4.03: an up-to-date list).]])
* providedBy 1..1
* insert Must(providedBy, [[Consent is given to agencies; a programme without one can receive nothing.]])
* insert Must(category, [[Which of the nine service areas it covers (004 CA-CM 5.01): the coverage matrix reads it.]])
* insert Must(type, [[What it does, in the HL7 service types the rest of the field uses.]])
* insert Must(location, [[Where: reachable for the client or not.]])
* name 1..1
* insert Must(name, [[What people ask for.]])
* insert Must(comment, [[How to get in, in words: the standard asks for the list and how to access it.]])
* insert Must(telecom, [[Whom to call for an appointment; SDOHCC marks that one by an extension.]])
* insert Must(coverageArea, [[Counties served.]])
* insert Must(eligibility, [[Who is taken; a referral to a programme that cannot take the client costs weeks.]])
* insert Must(communication, [[Languages spoken.]])
* insert Must(referralMethod, [[How to refer where there is no FHIR.]])
* insert Must(appointmentRequired, [[Whether the client may simply come.]])
* insert Must(availableTime, [[Hours; twenty-four-hour crisis services among them (004 CA-CM 5.01-1).]])
* insert Must(notAvailable, [[Holidays and closures.]])
* insert Must(endpoint, [[Where a referral goes electronically.]])
* extension contains http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus named capacityStatus 0..1
* insert Must(extension[capacityStatus], [[Room, waiting list or none, before the client is sent (SDOHCC 3.0).]])
* extension contains AssuredOn named assuredOn 0..1
* insert Must(extension[assuredOn], [[A list of programmes must be up to date (004 CA-CM 4.03): stale entries are reported by it.]])

Profile: CasebridgePatientTask
Parent: http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForPatient
Id: casebridge-patient-task
Title: "Patient task"
Description: "What the client is asked to do: answer a questionnaire, make contact, read something. SDOHCC TaskForPatient."
* insert Must(meta.security, [[That an agency asks is itself protected where the agency is a Part 2 program.]])
* insert Must(status, [[The client's app may change only status, reason and output.]])
* insert Must(priority, [[Routine or urgent.]])
* insert Must(code, [[What kind of thing is asked.]])
* insert Must(description, [[In words the client understands.]])
* insert Must(for, [[The client.]])
* insert Must(authoredOn, [[Since when it waits.]])
* insert Must(requester, [[Who asks, and to whom the answer goes.]])
* insert Must(owner, [[The client, or the one who acts for them.]])
* insert Must(restriction.period, [[Until when an answer helps.]])

Profile: CasebridgeDueTask
Parent: Task
Id: casebridge-due-task
Title: "Task that falls due"
Description: "Work a case manager or supervisor owes by a time, made by the coordination timers (CASEWORK.md T1 to T19). Never sent to partners unless they own it."
* insert Must(status, [[Open, done, or cancelled because the facts changed.]])
* insert Must(statusReason, [[Why it was not done: for a GPRA interview the follow-up status.]])
* intent = #order
* insert Must(priority, [[stat for a complaint, asap for a discharge notice.]])
* code 1..1
* code from DueTaskVS (extensible)
* insert Must(code, [[Which timer.]])
* insert Must(focus, [[The referral, plan, episode or interview it is about.]])
* for 1..1
* for only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient or Group)
* insert Must(for, [[Whose case; a group for work about a caseload.]])
* authoredOn 1..1
* insert Must(authoredOn, [[When it became known.]])
* owner 1..1
* owner only Reference(Practitioner or PractitionerRole or Organization or CareTeam)
* insert Must(owner, [[A due date nobody owns is missed.]])
* restriction 1..1
* restriction.period 1..1
* restriction.period.end 1..1
* insert Must(restriction.period, [[The window: from when it may be done and by when it must be.]])
* insert Must(reasonReference, [[The event from which the time was counted, so that the date can be checked by hand.]])
* insert Must(output, [[What closed it.]])

Profile: CasebridgeDuplicate
Parent: DetectedIssue
Id: casebridge-duplicate
Title: "Duplicate service"
Description: "Two services of one client that serve, or may serve, the same need (000 6b4; CASEWORK.md row 26). Made by the service; shown to an agency only where it may see both."
* insert Must(meta.security, [[As protected as the more protected of the two.]])
* identifier 1..1
* insert Must(identifier, [[One for the same two services, however often they are looked at.]])
* insert Must(status, [[preliminary while it is open, final when it is settled.]])
* code 1..1
* code = http://terminology.hl7.org/CodeSystem/v3-ActCode#DUPTHPY
* insert Must(code, [[A duplicate, in the words of the rest of the field.]])
* severity 1..1
* insert Must(severity, [[moderate: certain by the table of rules; low: possible.]])
* patient 1..1
* insert Must(patient, [[Whose services they are.]])
* identified[x] 1..1
* identified[x] only dateTime
* insert Must(identified[x], [[When it was found.]])
* implicated 2..2
* insert Must(implicated, [[The two services, each in the version that was compared.]])
* detail 1..1
* insert Must(detail, [[Why they were found, in the sentence of the rule.]])
* mitigation.action from http://hl7.org/fhir/ValueSet/detectedissue-mitigation-action (required)
* insert Must(mitigation, [[What came of it: one withdrawn, both kept and why, or over by itself. What is not recorded was not resolved.]])

Profile: CasebridgeEpisode
Parent: EpisodeOfCare
Id: casebridge-episode
Title: "Episode of care"
Description: "The client's case at an agency from intake to closing, and who leads it."
* obeys cb-episode-lead
* insert Must(meta.security, [[That there is a case is Part 2 data at a Part 2 program.]])
* insert Must(identifier, [[The case number.]])
* insert Must(status, [[waitlist is how a client who cannot be served at once is kept (004 CA-CM 3.02-5).]])
* insert Must(statusHistory, [[When the case was on the list, active and on hold; timeliness is measured from it.]])
* insert Must(type, [[Case management, or drug and alcohol rehabilitation.]])
* insert Must(diagnosis, [[What the case is about, where a diagnosis was given.]])
* patient only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(patient, [[Whose case.]])
* managingOrganization 1..1
* insert Must(managingOrganization, [[Which agency keeps the case.]])
* insert Must(period, [[From intake to closing; GPRA windows and closing are counted from it.]])
* insert Must(referralRequest, [[How the client came.]])
* insert Must(careManager, [[The primary case manager (000 standard 6a, 003).]])
* insert Must(team, [[Everyone who takes part, across agencies.]])
* extension contains Intensity named intensity 0..1
* insert Must(extension[intensity], [[Caseload and contact rules differ by tier.]])

Invariant: cb-episode-lead
Description: "An active episode has its primary case manager (careManager)."
Severity: #error
Expression: "status = 'active' implies careManager.exists()"

Profile: CasebridgeEncounter
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter
Id: casebridge-encounter
Title: "Encounter"
Description: "A contact of case management: which of the seven activities, how, where, how long, with whom. US Core Encounter."
* insert Must(meta.security, [[A contact with a Part 2 program is Part 2 data.]])
* insert Must(identifier, [[The case-management system's own number.]])
* insert Must(status, [[Planned, done or missed; only finished ones count as contacts.]])
* insert Must(class, [[Home, field, virtual or at the agency: location must meet the client's needs (000 standard 4).]])
* insert Must(type, [[Which activity (002 I), and its HCPCS code where one is billed.]])
* type ^slicing.discriminator.type = #pattern
* type ^slicing.discriminator.path = "$this"
* type ^slicing.rules = #open
* type contains activity 0..*
* type[activity] from ActivityVS (required)
* insert Must(type[activity], [[Case-management activities must be documented as such (002 I): the measures read them here.]])
* subject only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(subject, [[Whose contact; a group session is one encounter for each client, so that no one's record names another.]])
* insert Must(episodeOfCare, [[Contacts are counted per case.]])
* insert Must(basedOn, [[The referral the contact was part of.]])
* insert Must(participant, [[Who took part, the client's natural supports among them.]])
* insert Must(period, [[When and how long.]])
* insert Must(length, [[Minutes, where only they are known; HCPCS units are counted from it.]])
* insert Must(reasonCode, [[Why.]])
* insert Must(reasonReference, [[The need it was about.]])
* insert Must(location, [[Where.]])
* insert Must(serviceProvider, [[Which agency.]])
* extension contains DirectContact named directContact 0..1 and NextSteps named nextSteps 0..1
* insert Must(extension[directContact], [[Four direct contacts a month (004 CA-CM 5.04) are counted from it.]])
* insert Must(extension[nextSteps], [[What happens next is what the next worker reads first.]])

Profile: CasebridgeServiceDelivered
Parent: http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-Procedure
Id: casebridge-service-delivered
Title: "Service delivered"
Description: "What was actually done for the client, by us or by a partner: what closes a referral, and what section K of GPRA counts. SDOHCC Procedure."
* insert Must(identifier, [[A service reported by two agencies is counted once.]])
* insert Must(basedOn, [[The referral or plan it fulfils.]])
* insert Must(status, [[Done, or not done.]])
* insert Must(statusReason, [[Why it was not done: lost to follow-up, declined, no transport.]])
* insert Must(code, [[What was done.]])
* insert Must(subject, [[For whom.]])
* insert Must(encounter, [[In which contact.]])
* insert Must(performed[x], [[When; the dose of a service is counted from it.]])
* insert Must(performer, [[Who and for which agency: duplicates are found by it.]])
* insert Must(reasonReference, [[Which need it met.]])
* insert Must(outcome, [[With what result.]])
* insert Must(note, [[What no element holds.]])
