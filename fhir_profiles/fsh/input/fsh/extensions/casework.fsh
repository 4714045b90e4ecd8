Extension: PrimaryCaseManager
Id: primary-case-manager
Title: "Primary case manager"
Description: "True on the one participant who keeps the client's case together across agencies (000 standard 6a). A former or covering case manager does not carry it; their participation is told by role and period."
Context: CareTeam.participant
* value[x] 1..1
* value[x] only boolean

Extension: CoversFor
Id: covers-for
Title: "Covers for"
Description: "Whom this participant stands in for during participant.period. The one covered stays primary: cover is not a transfer."
Context: CareTeam.participant
* value[x] 1..1
* value[x] only Reference(Practitioner or PractitionerRole)

Extension: Intensity
Id: intensity
Title: "Intensity of case management"
Description: "Tier of case management the plan calls for (000 standard 5); it sets caseload, contacts and review timers."
Context: CarePlan, EpisodeOfCare
* value[x] 1..1
* value[x] only CodeableConcept

Extension: CrisisProcedure
Id: crisis-procedure
Title: "What to do in a crisis"
Description: "The expedited procedure of the plan (004 CA-CM 4.01-4), in words the client and any partner on call can follow."
Context: CarePlan
* value[x] 1..1
* value[x] only markdown

Extension: NextReview
Id: next-review
Title: "Next review"
Description: "When worker, supervisor and client review the plan again; at least quarterly (004 CA-CM 4.05)."
Context: CarePlan
* value[x] 1..1
* value[x] only date

Extension: DirectContact
Id: direct-contact
Title: "Direct contact"
Description: "Whether the client took part. Four direct contacts a month are asked of intensive case management (004 CA-CM 5.04); a call to a landlord about the client is not one."
Context: Encounter
* value[x] 1..1
* value[x] only boolean

Extension: NextSteps
Id: next-steps
Title: "Next steps"
Description: "What was agreed to happen next, and by whom."
Context: Encounter
* value[x] 1..1
* value[x] only markdown

Extension: TookPart
Id: took-part
Title: "Took part"
Description: "Natural support, interpreter or colleague who took part in the assessment beside client and author (004 CA-CM 3.04); in a closing, the client (004 CA-CM 6.01)."
Context: QuestionnaireResponse, DocumentReference
* value[x] 1..1
* value[x] only Reference(RelatedPerson or Practitioner or PractitionerRole or Patient)

Extension: Place
Id: place
Title: "Place"
Description: "Where an assessment was taken, in words, when no encounter says it: in person and in a place of the client's choice (000 standard 4; 004 CA-CM 3.04)."
Context: QuestionnaireResponse
* value[x] 1..1
* value[x] only string

Extension: GpraInterview
Id: gpra-interview
Title: "GPRA interview"
Description: "Which interview of which intake under which grant: the key by which one client is counted once per grant, however many providers serve them (000 standard 6b2)."
Context: QuestionnaireResponse
* extension contains grant 1..1 and clientId 1..1 and type 1..1 and sequence 1..1 and conducted 1..1 and status 0..1
* extension[grant] ^short = "Grant or contract number"
* extension[grant].value[x] 1..1
* extension[grant].value[x] only string
* extension[clientId] ^short = "GPRA client id: at most 15 characters, unique within the grant, never reused"
* extension[clientId].value[x] 1..1
* extension[clientId].value[x] only string
* extension[clientId].valueString ^maxLength = 15
* extension[type] ^short = "Interview type: 1 intake, 2 six-month, 4 three-month, 5 discharge, 6 post-discharge"
* extension[type].value[x] 1..1
* extension[type].value[x] only code
* extension[type].valueCode from GpraInterviewTypeVS (required)
* extension[sequence] ^short = "Intake sequence number"
* extension[sequence].value[x] 1..1
* extension[sequence].value[x] only positiveInt
* extension[conducted] ^short = "Whether the interview took place"
* extension[conducted].value[x] 1..1
* extension[conducted].value[x] only boolean
* extension[status] ^short = "Follow-up status (section I), at follow-up only"
* extension[status].value[x] 1..1
* extension[status].value[x] only code
* extension[status].valueCode from GpraFollowUpStatusVS (required)

Extension: DisclosureBasis
Id: disclosure-basis
Title: "Legal basis of a disclosure"
Description: "Which rule of 42 CFR Part 2 permitted the disclosure."
Context: AuditEvent
* value[x] 1..1
* value[x] only code
* valueCode from DisclosureBasisVS (required)

Extension: DisclosureAgreement
Id: disclosure-agreement
Title: "Agreement or order behind a disclosure"
Description: "Number of the written agreement, court order or protocol, where the basis needs one (42 CFR 2.11, 2.52, 2.53, 2.61)."
Context: AuditEvent
* value[x] 1..1
* value[x] only Identifier

Extension: EmergencyNature
Id: emergency-nature
Title: "Nature of the emergency"
Description: "42 CFR 2.51(c): to be recorded at once, with the recipient and their affiliation, who disclosed, and when."
Context: AuditEvent
* value[x] 1..1
* value[x] only string
