Instance: referral-housing
InstanceOf: CasebridgeReferralRequest
Usage: #example
Title: "Referral to transitional housing"
Description: "Invented. Harbor asks Northside for transitional housing, 9 March 2026."
* meta.security[+] = $Confidentiality#R "restricted"
* identifier.type = $v2-0203#PLAC "Placer Identifier"
* identifier.system = "https://harbor.example/referrals"
* identifier.value = "R-3001"
* status = #active
* intent = #order
* category[us-core][+] = $SCT#410606002 "Social service procedure"
* category[SDOHCC][+] = $SDOHCC#housing-instability "Housing Instability"
* category[serviceArea][+] = ServiceAreaCS#housing "Housing"
* priority = #urgent
* code = $SCT#710911006
* code.text = "Transitional housing for one adult and two children"
* subject = Reference(leslie-moreno)
* occurrencePeriod.start = "2026-03-16"
* authoredOn = "2026-03-09T15:20:00-06:00"
* requester = Reference(victoria-chen-at-harbor)
* performer = Reference(northside-housing)
* reasonCode.text = "Must leave the present flat by the end of March"
* supportingInfo[SupportedSupportingInfo][+] = Reference(consent-leslie-2026)
* patientInstruction = "Ground floor if possible; near the children's school."

Instance: referral-case-management
InstanceOf: CasebridgeReferralRequest
Usage: #example
Title: "Referral for case management"
Description: "Invented. What the County Access Line sends on 2 March 2026: little, but enough."
* identifier.system = "https://accessline.example/calls"
* identifier.value = "88412"
* status = #active
* intent = #order
* category[us-core] = $SCT#410606002 "Social service procedure"
* priority = #urgent
* code = $SCT#453561000124105 "Referral for case management"
* subject = Reference(leslie-moreno)
* authoredOn = "2026-03-02T10:05:00-07:00"
* requester = Reference(county-access-line)
* performer = Reference(harbor-recovery-services)
* reasonCode.text = "Asks for help with housing and alcohol use"

Instance: referral-task-housing
InstanceOf: CasebridgeReferralTask
Usage: #example
Title: "Housing referral, in progress"
Description: "Invented. Northside accepted on 11 March; the room is being prepared."
* meta.security[+] = $Confidentiality#R "restricted"
* identifier.system = "https://harbor.example/tasks"
* identifier.value = "T-3001"
* status = #in-progress
* businessStatus = $bser-status#5.1.1
* intent = #order
* priority = #urgent
* code = $task-code#fulfill "Fulfill the focal request"
* focus = Reference(referral-housing)
* for = Reference(leslie-moreno)
* executionPeriod.start = "2026-03-16"
* authoredOn = "2026-03-09T15:20:00-06:00"
* lastModified = "2026-03-11T09:40:00-06:00"
* requester = Reference(victoria-chen-at-harbor)
* owner = Reference(northside-housing)
* restriction.period.end = "2026-03-12T17:00:00-06:00"
* note.text = "Room 12 is free from the 16th."

Instance: referral-task-job-training-waitlist
InstanceOf: CasebridgeReferralTask
Usage: #example
Title: "Referral put on hold: waiting list"
Description: "Invented. No place at present; the reason travels with the status."
* status = #on-hold
* statusReason = $SDOHCC#waitlist "No Capacity - Has Waitlist"
* statusReason.text = "No place before the autumn course; on the waiting list"
* businessStatus = ReferralBusinessStatusCS#waitlisted "On the waiting list"
* intent = #order
* code = $task-code#fulfill
* focus = Reference(referral-housing)
* for = Reference(leslie-moreno)
* authoredOn = "2026-03-09T15:30:00-06:00"
* requester = Reference(harbor-recovery-services)
