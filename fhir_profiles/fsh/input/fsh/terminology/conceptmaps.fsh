// One group a target system; the best target first. `relatedto` where the target is one of several services that
// answer the same area; a translation that is only likely never says `equivalent`.

RuleSet: ConceptMapOf(name, source, description)
* url = "https://casebridge.example/fhir/ConceptMap/{source}"
* version = "1.0.0"
* name = "{name}"
* status = #active
* experimental = false
* description = "{description}"

RuleSet: Group(source, target)
* group[+].source = "{source}"
* group[=].target = "{target}"

RuleSet: Row(code, target, equivalence)
* group[=].element[+].code = #{code}
* group[=].element[=].target[+].code = #{target}
* group[=].element[=].target[=].equivalence = #{equivalence}

RuleSet: Also(target, equivalence)
* group[=].element[=].target[+].code = #{target}
* group[=].element[=].target[=].equivalence = #{equivalence}

RuleSet: Unmatched(code, comment)
* group[=].element[+].code = #{code}
* group[=].element[=].target[+].equivalence = #unmatched
* group[=].element[=].target[=].comment = "{comment}"

Instance: service-area-to-sdoh
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(ServiceAreaToSdoh, service-area-to-sdoh, [[Service areas to SDOHCC categories. Crisis, psychiatric and alcohol or drug care have none: there the area itself is the category.]])
* insert Group(https://casebridge.example/fhir/CodeSystem/service-area, http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes)
* insert Row(housing, housing-instability, relatedto)
* insert Also(homelessness, relatedto)
* insert Also(inadequate-housing, relatedto)
* insert Row(medical-dental, medical-cost-burden, relatedto)
* insert Row(public-assistance, financial-insecurity, relatedto)
* insert Also(material-hardship, relatedto)
* insert Also(health-insurance-coverage-status, relatedto)
* insert Row(family-support, social-connection, relatedto)
* insert Also(stress, relatedto)
* insert Row(vocational, employment-status, relatedto)
* insert Row(transportation, transportation-insecurity, relatedto)
* insert Row(child-care, material-hardship, relatedto)
* insert Row(education, educational-attainment, relatedto)
* insert Row(peer-support, social-connection, relatedto)
* insert Unmatched(crisis, [[No SDOHCC category.]])
* insert Unmatched(psychiatric, [[No SDOHCC category.]])
* insert Unmatched(substance-use, [[No SDOHCC category.]])
* insert Unmatched(legal-community, [[No SDOHCC category.]])
* insert Unmatched(advocacy, [[No SDOHCC category.]])
* insert Unmatched(case-management, [[No SDOHCC category.]])

Instance: service-area-to-procedure
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(ServiceAreaToProcedure, service-area-to-procedure, [[Service areas to SNOMED CT referral procedures. Codes of the 1000124 namespace are of the US Edition.]])
* insert Group(https://casebridge.example/fhir/CodeSystem/service-area, http://snomed.info/sct)
* insert Row(crisis, 24172008, relatedto)
* insert Row(psychiatric, 183524004, relatedto)
* insert Row(housing, 710911006, relatedto)
* insert Row(medical-dental, 306110004, relatedto)
* insert Also(103697008, relatedto)
* insert Row(substance-use, 1254709001, relatedto)
* insert Row(public-assistance, 1254705007, relatedto)
* insert Also(462491000124104, relatedto)
* insert Row(family-support, 710914003, relatedto)
* insert Row(vocational, 18781004, relatedto)
* insert Row(transportation, 410365006, relatedto)
* insert Row(child-care, 841251000124100, relatedto)
* insert Row(education, 415271004, relatedto)
* insert Also(228642009, relatedto)
* insert Row(peer-support, 461481000124109, relatedto)
* insert Row(legal-community, 306238000, relatedto)
* insert Row(advocacy, 662871000124101, relatedto)
* insert Row(case-management, 453561000124105, equivalent)

Instance: service-area-to-service-type
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(ServiceAreaToServiceType, service-area-to-service-type, [[Service areas to HL7 service types.]])
* insert Group(https://casebridge.example/fhir/CodeSystem/service-area, http://terminology.hl7.org/CodeSystem/service-type)
* insert Row(crisis, 309, relatedto)
* insert Row(psychiatric, 141, relatedto)
* insert Row(housing, 128, relatedto)
* insert Row(medical-dental, 88, relatedto)
* insert Row(substance-use, 105, relatedto)
* insert Row(public-assistance, 121, relatedto)
* insert Row(family-support, 71, relatedto)
* insert Row(vocational, 118, relatedto)
* insert Row(transportation, 465, relatedto)
* insert Row(child-care, 284, relatedto)
* insert Row(education, 552, relatedto)
* insert Row(peer-support, 224, relatedto)
* insert Row(legal-community, 132, relatedto)
* insert Row(advocacy, 245, relatedto)
* insert Row(case-management, 279, equivalent)

Instance: service-area-to-hcpcs
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(ServiceAreaToHcpcs, service-area-to-hcpcs, [[Service areas to HCPCS level II codes.]])
* insert Group(https://casebridge.example/fhir/CodeSystem/service-area, http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets)
* insert Row(crisis, H2011, relatedto)
* insert Row(psychiatric, H0031, relatedto)
* insert Row(housing, H0043, relatedto)
* insert Row(substance-use, H0001, relatedto)
* insert Row(public-assistance, T2040, relatedto)
* insert Row(family-support, T1006, relatedto)
* insert Row(vocational, H2023, relatedto)
* insert Row(transportation, T2001, relatedto)
* insert Row(child-care, T1009, relatedto)
* insert Row(education, H2014, relatedto)
* insert Row(peer-support, H0038, relatedto)
* insert Row(case-management, T1016, equivalent)

Instance: service-area-to-gpra-service
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(ServiceAreaToGpraService, service-area-to-gpra-service, [[Service areas to GPRA services: what section A plans and section K counts.]])
* insert Group(https://casebridge.example/fhir/CodeSystem/service-area, https://casebridge.example/fhir/CodeSystem/gpra-service)
* insert Row(crisis, case-management-8, relatedto)
* insert Row(psychiatric, treatment-10, relatedto)
* insert Row(housing, case-management-7, relatedto)
* insert Also(peer-2, relatedto)
* insert Row(medical-dental, medical-1, relatedto)
* insert Row(substance-use, education-1, relatedto)
* insert Row(public-assistance, case-management-8, relatedto)
* insert Row(family-support, case-management-1, relatedto)
* insert Row(vocational, case-management-3A, relatedto)
* insert Also(case-management-3B, relatedto)
* insert Row(transportation, case-management-5, equivalent)
* insert Row(child-care, case-management-2, equivalent)
* insert Row(education, case-management-8, relatedto)
* insert Row(peer-support, peer-1, relatedto)
* insert Row(legal-community, peer-4, relatedto)
* insert Row(advocacy, case-management-8, relatedto)
* insert Row(case-management, case-management-4, equivalent)
* insert Also(modality-1, relatedto)

Instance: activity-to-hcpcs
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(ActivityToHcpcs, activity-to-hcpcs, [[Activities of case management to the HCPCS codes they are billed with.]])
* insert Group(https://casebridge.example/fhir/CodeSystem/case-management-activity, http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets)
* insert Row(linkage, T1016, wider)
* insert Row(monitoring, T1016, wider)
* insert Row(referral, T1016, wider)
* insert Row(planning, T1007, relatedto)
* insert Also(H0032, relatedto)
* insert Row(advocacy, T1016, wider)
* insert Row(crisis, H2011, relatedto)
* insert Also(H0007, relatedto)
* insert Row(supportive, H2015, relatedto)

Instance: referral-status-to-task-status
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(ReferralStatusToTaskStatus, referral-status-to-task-status, [[Referral statuses of casework to Task.status. received is not in SDOHCC's set; the partner's dialect decides whether it is written.]])
* insert Group(https://casebridge.example/fhir/CodeSystem/referral-status, http://hl7.org/fhir/task-status)
* insert Row(draft, draft, equal)
* insert Row(requested, requested, equal)
* insert Row(received, received, equal)
* insert Row(accepted, accepted, equal)
* insert Row(rejected, rejected, equal)
* insert Row(in-progress, in-progress, equal)
* insert Row(on-hold, on-hold, equal)
* insert Row(completed, completed, equal)
* insert Row(cancelled, cancelled, equal)
* insert Row(failed, failed, equal)
* insert Row(entered-in-error, entered-in-error, equal)

Instance: referral-status-to-request-status
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(ReferralStatusToRequestStatus, referral-status-to-request-status, [[Referral statuses of casework to ServiceRequest.status, which is the requester's alone: a refusal leaves the request active until the requester decides.]])
* insert Group(https://casebridge.example/fhir/CodeSystem/referral-status, http://hl7.org/fhir/request-status)
* insert Row(draft, draft, equivalent)
* insert Row(requested, active, wider)
* insert Row(received, active, wider)
* insert Row(accepted, active, wider)
* insert Row(rejected, active, wider)
* insert Row(in-progress, active, wider)
* insert Row(on-hold, active, wider)
* insert Row(failed, active, wider)
* insert Row(completed, completed, equivalent)
* insert Row(cancelled, revoked, equivalent)
* insert Row(entered-in-error, entered-in-error, equal)

Instance: task-status-to-bser
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(TaskStatusToBser, task-status-to-bser, [[Task.status to BSeR business status, for partners of that dialect.]])
* insert Group(http://hl7.org/fhir/task-status, http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS)
* insert Row(received, 2.0, equivalent)
* insert Row(requested, 2.0, relatedto)
* insert Row(accepted, 3.0, equivalent)
* insert Row(rejected, 4.0, equivalent)
* insert Row(in-progress, 5.1.1, relatedto)
* insert Row(cancelled, 6.0, equivalent)
* insert Row(completed, 7.0, equivalent)

Instance: business-status-to-bser
InstanceOf: ConceptMap
Usage: #definition
* insert ConceptMapOf(BusinessStatusToBser, business-status-to-bser, [[Our business statuses to BSeR's.]])
* insert Group(https://casebridge.example/fhir/CodeSystem/referral-business-status, http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS)
* insert Row(scheduled, 5.1.1, equivalent)
* insert Row(rescheduled, 5.1.1, wider)
* insert Row(missed, 5.1.2, equivalent)
* insert Row(attended, 5.1.4, equivalent)
* insert Row(cancellation-requested, 5.2, equivalent)

