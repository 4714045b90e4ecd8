Instance: leslie-moreno
InstanceOf: CasebridgeClient
Usage: #example
Title: "Leslie Moreno"
Description: "Invented. The client of the story: 34, two children, prefers text messages."
* meta.security[+] = $ActCode#42CFRPart2 "42 CFR Part2"
* meta.security[+] = $ActCode#SUD "substance use disorder information sensitivity"
* meta.security[+] = $Confidentiality#R "restricted"
* extension[contactNote].valueString = "Text messages only after six in the evening; never leave a voice message."
* active = true
* identifier[+].use = #official
* identifier[=].system = "https://harbor.example/clients"
* identifier[=].value = "C-2041"
* name.use = #official
* name.family = "Moreno"
* name.given = "Leslie"
* telecom[+].system = #sms
* telecom[=].value = "+1-303-555-0142"
* telecom[=].use = #mobile
* telecom[=].extension[contactPermitted].valueBoolean = true
* telecom[+].system = #phone
* telecom[=].value = "+1-303-555-0177"
* telecom[=].use = #home
* telecom[=].extension[contactPermitted].valueBoolean = false
* gender = #female
* birthDate = "1991-08-17"
* address.use = #home
* address.line = "18 Alder Street, Apt 4"
* address.city = "Denver"
* address.state = "CO"
* address.postalCode = "80205"
* communication[+].language = $BCP47#en "English"
* communication[=].preferred = true
* communication[+].language = $BCP47#es "Spanish"
* contact[+].relationship = $v2-0131#N "Next-of-Kin"
* contact[=].name.family = "Moreno"
* contact[=].name.given = "Pilar"
* contact[=].telecom.system = #phone
* contact[=].telecom.value = "+1-303-555-0190"
* managingOrganization = Reference(harbor-recovery-services)

Instance: victoria-chen
InstanceOf: CasebridgeCaseManager
Usage: #example
Title: "Victoria Chen"
Description: "Invented. Case manager at Harbor Recovery Services."
* extension[backgroundCheck].extension[status].valueCode = #cleared
* extension[backgroundCheck].extension[checked].valueDate = "2025-09-01"
* extension[backgroundCheck].extension[expires].valueDate = "2027-09-01"
* extension[backgroundCheck].extension[population].valueCode = #minors
* active = true
* identifier.system = "https://harbor.example/staff"
* identifier.value = "S-17"
* name.family = "Chen"
* name.given = "Victoria"
* telecom.system = #phone
* telecom.value = "+1-303-555-0111"
* communication = $BCP47#es "Spanish"
* qualification.code.text = "Bachelor of Social Work"
* qualification.period.start = "2016-05-20"

Instance: victoria-chen-at-harbor
InstanceOf: CasebridgeCaseManagerRole
Usage: #example
Title: "Victoria Chen at Harbor"
Description: "Invented. Her role at the agency, supervised by Samuel Okafor."
* extension[supervisor].valueReference = Reference(samuel-okafor-at-harbor)
* active = true
* period.start = "2021-02-01"
* practitioner = Reference(victoria-chen)
* organization = Reference(harbor-recovery-services)
* code[+] = $SCT#768832004 "Case manager"
* specialty = $NUCC#171M00000X "Case Manager/Care Coordinator"
* telecom.system = #phone
* telecom.value = "+1-303-555-0111"
* telecom.use = #work
* availableTime.daysOfWeek[+] = #mon
* availableTime.daysOfWeek[+] = #tue
* availableTime.daysOfWeek[+] = #wed
* availableTime.daysOfWeek[+] = #thu
* availableTime.daysOfWeek[+] = #fri
* availableTime.availableStartTime = "08:30:00"
* availableTime.availableEndTime = "17:00:00"

Instance: samuel-okafor
InstanceOf: CasebridgeCaseManager
Usage: #example
Title: "Samuel Okafor"
Description: "Invented. Supervisor at Harbor Recovery Services."
* active = true
* identifier.system = "https://harbor.example/staff"
* identifier.value = "S-03"
* name.family = "Okafor"
* name.given = "Samuel"

Instance: samuel-okafor-at-harbor
InstanceOf: CasebridgeCaseManagerRole
Usage: #example
Title: "Samuel Okafor at Harbor"
Description: "Invented. The supervisor's role."
* active = true
* practitioner = Reference(samuel-okafor)
* organization = Reference(harbor-recovery-services)
* code = CaseRoleCS#supervisor "Supervisor"
* telecom.system = #email
* telecom.value = "samuel.okafor@harbor.example"

Instance: marcus-bell
InstanceOf: CasebridgeCaseManager
Usage: #example
Title: "Marcus Bell"
Description: "Invented. Case manager at Northside Housing Partnership."
* active = true
* identifier.system = "https://northside.example/staff"
* identifier.value = "mbell"
* name.family = "Bell"
* name.given = "Marcus"

Instance: marcus-bell-at-northside
InstanceOf: CasebridgeCaseManagerRole
Usage: #example
Title: "Marcus Bell at Northside"
Description: "Invented."
* active = true
* practitioner = Reference(marcus-bell)
* organization = Reference(northside-housing)
* code = $SCT#768832004 "Case manager"
* telecom.system = #phone
* telecom.value = "+1-303-555-0160"

Instance: harbor-recovery-services
InstanceOf: CasebridgeAgency
Usage: #example
Title: "Harbor Recovery Services"
Description: "Invented. The home agency: recovery support and case management, a Part 2 program."
* extension[part2Program].valueBoolean = true
* extension[hipaaCoveredEntity].valueBoolean = true
* identifier.system = "https://casebridge.example/agencies"
* identifier.value = "harbor"
* active = true
* type = $NUCC#251B00000X "Case Management Agency"
* name = "Harbor Recovery Services"
* telecom.system = #phone
* telecom.value = "+1-303-555-0100"
* address.line = "200 Quay Road"
* address.city = "Denver"
* address.state = "CO"
* address.postalCode = "80202"

Instance: northside-housing
InstanceOf: CasebridgeAgency
Usage: #example
Title: "Northside Housing Partnership"
Description: "Invented. Transitional and supportive housing; not covered by HIPAA."
* extension[part2Program].valueBoolean = false
* extension[hipaaCoveredEntity].valueBoolean = false
* identifier.system = "https://casebridge.example/agencies"
* identifier.value = "northside"
* active = true
* name = "Northside Housing Partnership"
* telecom.system = #phone
* telecom.value = "+1-303-555-0160"

Instance: riverbend-family-health
InstanceOf: CasebridgeAgency
Usage: #example
Title: "Riverbend Family Health"
Description: "Invented. A clinic with an EHR."
* extension[part2Program].valueBoolean = false
* extension[hipaaCoveredEntity].valueBoolean = true
* identifier[NPI].system = "http://hl7.org/fhir/sid/us-npi"
* identifier[NPI].value = "1234567893"
* active = true
* name = "Riverbend Family Health"

Instance: county-access-line
InstanceOf: CasebridgeAgency
Usage: #example
Title: "County Access Line"
Description: "Invented. Sends people who call for help."
* extension[part2Program].valueBoolean = false
* identifier.system = "https://casebridge.example/agencies"
* identifier.value = "county-access-line"
* active = true
* name = "County Access Line"
