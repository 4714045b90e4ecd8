RuleSet: Parameter(id, code, base, type, expression, description)
* url = "https://casebridge.example/fhir/SearchParameter/{id}"
* version = "1.0.0"
* name = "{id}"
* status = #active
* experimental = false
* description = "{description}"
* code = #{code}
* base = #{base}
* type = #{type}
* expression = "{expression}"

Instance: care-team-primary
InstanceOf: SearchParameter
Usage: #definition
* insert Parameter(CareTeamPrimary, primary-case-manager, CareTeam, reference, [[CareTeam.participant.where(extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/primary-case-manager' and value = true).exists()).member]], [[Teams led by this case manager.]])
* target[0] = #Practitioner
* target[1] = #PractitionerRole

Instance: service-request-area
InstanceOf: SearchParameter
Usage: #definition
* insert Parameter(ServiceRequestArea, service-area, ServiceRequest, token, [[ServiceRequest.category.coding.where(system = 'https://casebridge.example/fhir/CodeSystem/service-area')]], [[Referrals of a service area.]])

Instance: task-due
InstanceOf: SearchParameter
Usage: #definition
* insert Parameter(TaskDue, due, Task, date, [[Task.restriction.period]], [[Tasks whose window includes a date, or that end before it: what is due.]])

Instance: questionnaire-response-grant
InstanceOf: SearchParameter
Usage: #definition
* insert Parameter(QuestionnaireResponseGrant, gpra-grant, QuestionnaireResponse, string, [[QuestionnaireResponse.extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/gpra-interview').extension.where(url = 'grant').value]], [[GPRA interviews of a grant.]])

Instance: audit-event-basis
InstanceOf: SearchParameter
Usage: #definition
* insert Parameter(AuditEventBasis, disclosure-basis, AuditEvent, token, [[AuditEvent.extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/disclosure-basis').value]], [[Disclosures on a legal basis.]])

Instance: healthcare-service-language
InstanceOf: SearchParameter
Usage: #definition
* insert Parameter(HealthcareServiceLanguage, communication, HealthcareService, token, [[HealthcareService.communication]], [[Programmes where a language is spoken, by BCP 47 code; named as in the Human Services Directory guide.]])

Instance: healthcare-service-capacity
InstanceOf: SearchParameter
Usage: #definition
* insert Parameter(HealthcareServiceCapacity, capacity, HealthcareService, token, [[HealthcareService.extension.where(url = 'http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus').extension.where(url = 'capacityStatus').value]], [[Programmes with room, without, or with a waiting list (SDOHCC 3.0 capacity status).]])

Instance: healthcare-service-day
InstanceOf: SearchParameter
Usage: #definition
* insert Parameter(HealthcareServiceDay, open-day, HealthcareService, token, [[HealthcareService.availableTime.daysOfWeek]], [[Programmes that are open on a day of the week: mon to sun.]])

Instance: healthcare-service-serves
InstanceOf: SearchParameter
Usage: #definition
* insert Parameter(HealthcareServiceServes, serves, HealthcareService, string, [[HealthcareService.coverageArea.display]], [[Programmes that serve a place, by the words of the directory; coverage-area finds Locations.]])
