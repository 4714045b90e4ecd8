Extension: ContactPermitted
Id: contact-permitted
Title: "Contact permitted"
Description: "Whether the client allows case managers and partners to use this telephone number or address. False means nobody may call, write or leave a message there, however reachable it looks: a message in the wrong hands can endanger the client (CASEWORK.md requirement 60)."
Context: ContactPoint, Address
* value[x] 1..1
* value[x] only boolean

Extension: ContactNote
Id: contact-note
Title: "How to contact safely"
Description: "In the client's words: when and how to make contact, for example by text message only or never on weekday mornings."
Context: Patient, RelatedPerson
* value[x] 1..1
* value[x] only string

Extension: BackgroundCheck
Id: background-check
Title: "Criminal background check"
Description: "The check required before a worker serves minors, developmentally disabled or elderly clients (000 standard 2d). The finding is not carried: only that the check was made, when, and whether the worker is cleared."
Context: Practitioner
* extension contains status 1..1 and checked 0..1 and expires 0..1 and population 0..*
* extension[status] ^short = "cleared, pending, not-cleared, expired"
* extension[status].value[x] 1..1
* extension[status].value[x] only code
* extension[status].valueCode from BackgroundCheckStatusVS (required)
* extension[checked] ^short = "Date of the check"
* extension[checked].value[x] 1..1
* extension[checked].value[x] only date
* extension[expires] ^short = "Date after which it must be renewed"
* extension[expires].value[x] 1..1
* extension[expires].value[x] only date
* extension[population] ^short = "minors, developmentally-disabled, elderly"
* extension[population].value[x] 1..1
* extension[population].value[x] only code
* extension[population].valueCode from CheckedPopulationVS (required)

Extension: Supervisor
Id: supervisor
Title: "Supervisor"
Description: "Who supervises this worker: quarterly case reviews and escalations go there (004 CA-CM 4.05)."
Context: PractitionerRole
* value[x] 1..1
* value[x] only Reference(PractitionerRole or Practitioner)

Extension: Part2Program
Id: part2-program
Title: "42 CFR Part 2 program"
Description: "Whether the organisation is a federally assisted substance use disorder program under 42 CFR 2.11. What such an organisation records is Part 2 data, the fact that someone is its client included. Absent means unknown; the consent gate then treats the organisation's records as Part 2."
Context: Organization
* value[x] 1..1
* value[x] only boolean

Extension: HipaaCoveredEntity
Id: hipaa-covered-entity
Title: "HIPAA covered entity or business associate"
Description: "Decides what the recipient of a treatment, payment and operations consent may do with the record (42 CFR 2.33), and so which redisclosure label travels with it."
Context: Organization
* value[x] 1..1
* value[x] only boolean
