RuleSet: AllOf(system)
* ^experimental = false
* include codes from system {system}

ValueSet: GpraInterviewTypeVS
Id: gpra-interview-type
Title: "GPRA interview types"
Description: "All GPRA interview types."
* insert AllOf(GpraInterviewTypeCS)

ValueSet: GpraFollowUpStatusVS
Id: gpra-follow-up-status
Title: "GPRA follow-up statuses"
Description: "All GPRA follow-up statuses."
* insert AllOf(GpraFollowUpStatusCS)

ValueSet: GpraServiceVS
Id: gpra-service
Title: "GPRA services"
Description: "All GPRA services."
* insert AllOf(GpraServiceCS)

ValueSet: DisclosureBasisVS
Id: disclosure-basis
Title: "Legal bases of disclosure"
Description: "All legal bases."
* insert AllOf(DisclosureBasisCS)

ValueSet: DueTaskVS
Id: due-task
Title: "Work that falls due"
Description: "All kinds of work that falls due."
* insert AllOf(DueTaskCS)

ValueSet: PlanCategoryVS
Id: plan-category
Title: "Kinds of care plan"
Description: "All kinds of care plan."
* insert AllOf(PlanCategoryCS)

ValueSet: NoServiceReasonVS
Id: no-service-reason
Title: "Why a service did not come about"
Description: "Reasons of our own, SDOHCC capacity codes and the SNOMED CT findings of CODES.md."
* ^experimental = false
* include codes from system NoServiceReasonCS
* $SDOHCC#no-capacity
* $SDOHCC#waitlist
* $SDOHCC#additional-assessment-required
* $SCT#399307001 "Lost to follow-up"
* $SCT#763079000 "Follow-up encounter refused"
* $SCT#105480006
* $SCT#443390004 "Declined"
* $SCT#419024006 "Transport unavailable"

ValueSet: ContactModeVS
Id: contact-mode
Title: "Modes of contact"
Description: "All modes of contact."
* insert AllOf(ContactModeCS)

ValueSet: EncounterServiceVS
Id: encounter-service
Title: "Case-management encounter codes"
Description: "HCPCS level II codes for case management and the services around it, and the CPT codes case managers bill. CPT is licensed by the AMA: codes only, no wording."
* ^experimental = false
* $HCPCS#T1016 "Case management, each 15 minutes"
* $HCPCS#T1017 "Targeted case management, each 15 minutes"
* $HCPCS#T2022 "Case management, per month"
* $HCPCS#T2023 "Targeted case management; per month"
* $HCPCS#H0006 "Alcohol and/or drug services; case management"
* $HCPCS#G9012 "Other specified case management service not elsewhere classified"
* $HCPCS#G9007 "Coordinated care fee, scheduled team conference"
* $HCPCS#H0032
* $HCPCS#T1007
* $HCPCS#T2024
* $HCPCS#T1023
* $HCPCS#H0031
* $HCPCS#H2015
* $HCPCS#H2016
* $HCPCS#H2021
* $HCPCS#H2022
* $HCPCS#H0036
* $HCPCS#H0039
* $HCPCS#H0038
* $HCPCS#H0023
* $HCPCS#H2011
* $HCPCS#H0007
* $HCPCS#S9484
* $HCPCS#S9485
* $HCPCS#H0030
* $CPT#99484
* $CPT#99492
* $CPT#99493
* $CPT#99487
* $CPT#99489
* $CPT#99490
* $CPT#99366
* $CPT#99368
* $CPT#98966
* $SCT#386230005 "Case management (procedure)"
* $SCT#425604002 "Case management follow up (procedure)"

ValueSet: CareTeamCategoryVS
Id: care-team-category
Title: "Kinds of care team"
Description: "LOINC answers for the kinds of care team that case managers lead."
* ^experimental = false
* $LNC#LA28865-6
* $LNC#LA27977-0
* $LNC#LA28866-4
