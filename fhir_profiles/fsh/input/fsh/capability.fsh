RuleSet: Serves(type, profile)
* rest[0].resource[+].type = #{type}
* rest[0].resource[=].supportedProfile[0] = "https://casebridge.example/fhir/StructureDefinition/{profile}"
* rest[0].resource[=].interaction[0].code = #read
* rest[0].resource[=].interaction[1].code = #vread
* rest[0].resource[=].interaction[2].code = #history-instance
* rest[0].resource[=].interaction[3].code = #search-type
* rest[0].resource[=].versioning = #versioned-update

RuleSet: AlsoProfile(profile)
* rest[0].resource[=].supportedProfile[+] = "https://casebridge.example/fhir/StructureDefinition/{profile}"

RuleSet: Writes
* rest[0].resource[=].interaction[4].code = #create
* rest[0].resource[=].interaction[5].code = #update
* rest[0].resource[=].interaction[6].code = #patch
* rest[0].resource[=].interaction[7].code = #delete
* rest[0].resource[=].updateCreate = true

RuleSet: Finds(name, definition, type)
* rest[0].resource[=].searchParam[+].name = "{name}"
* rest[0].resource[=].searchParam[=].definition = "{definition}"
* rest[0].resource[=].searchParam[=].type = #{type}

Instance: casebridge-server
InstanceOf: CapabilityStatement
Usage: #definition
* url = "https://casebridge.example/fhir/CapabilityStatement/casebridge-server"
* version = "1.0.0"
* name = "CasebridgeServer"
* title = "What a Casebridge server does"
* status = #active
* experimental = false
* date = "2026-03-01"
* publisher = "Casebridge"
* description = "The requirements a Casebridge server meets: types, profiles and interactions. What one instance offers at the moment, with every search parameter and operator guide, is at /fhir/metadata, which is built from its catalogue."
* kind = #requirements
* fhirVersion = #4.0.1
* format[0] = #json
* rest[0].mode = #server
* rest[0].security.description = "SMART Backend Services: client_credentials with private_key_jwt. Every read, search and push passes the consent gate."
* rest[0].security.service = http://terminology.hl7.org/CodeSystem/restful-security-service#SMART-on-FHIR
* insert Serves(Patient, casebridge-client)
* insert Writes
* insert Serves(Practitioner, casebridge-case-manager)
* insert Writes
* insert Serves(PractitionerRole, casebridge-case-manager-role)
* insert Writes
* insert Serves(Organization, casebridge-agency)
* insert Writes
* insert Serves(HealthcareService, casebridge-programme)
* insert Writes
* insert Serves(EpisodeOfCare, casebridge-episode)
* insert Writes
* insert Serves(Encounter, casebridge-encounter)
* insert Writes
* insert Serves(CareTeam, casebridge-care-team)
* insert Writes
* insert Finds(primary-case-manager, https://casebridge.example/fhir/SearchParameter/care-team-primary, reference)
* insert Serves(CarePlan, casebridge-care-plan)
* insert Writes
* insert Serves(Goal, casebridge-goal)
* insert Writes
* insert Serves(Condition, casebridge-need)
* insert Writes
* insert Serves(Observation, casebridge-assessment-observation)
* insert Writes
* insert Serves(Procedure, casebridge-service-delivered)
* insert Writes
* insert Serves(QuestionnaireResponse, casebridge-assessment-response)
* insert AlsoProfile(casebridge-gpra-response)
* insert Writes
* insert Finds(gpra-grant, https://casebridge.example/fhir/SearchParameter/questionnaire-response-grant, string)
* insert Serves(ServiceRequest, casebridge-referral-request)
* insert Writes
* insert Finds(service-area, https://casebridge.example/fhir/SearchParameter/service-request-area, token)
* insert Serves(Task, casebridge-referral-task)
* insert AlsoProfile(casebridge-patient-task)
* insert AlsoProfile(casebridge-due-task)
* insert Writes
* insert Finds(due, https://casebridge.example/fhir/SearchParameter/task-due, date)
* insert Serves(Consent, casebridge-consent)
* insert AlsoProfile(casebridge-consent-part2)
* insert Writes
* insert Serves(Provenance, casebridge-provenance)
* insert Serves(AuditEvent, casebridge-audit-event)
* insert AlsoProfile(casebridge-audit-disclosure)
* insert Finds(disclosure-basis, https://casebridge.example/fhir/SearchParameter/audit-event-basis, token)
