Extension: ConsentSigner
Id: consent-signer
Title: "Who signed"
Description: "In which capacity the performer signed, and by what authority for someone else (42 CFR 2.14, 2.15, 2.31(a)(8))."
Context: Consent.performer
* extension contains by 1..1 and authority 0..1
* extension[by] ^short = "client, parent, guardian, personal-representative"
* extension[by].value[x] 1..1
* extension[by].value[x] only code
* extension[by].valueCode from ConsentSignerVS (required)
* extension[authority] ^short = "Document or relation the authority rests on"
* extension[authority].value[x] 1..1
* extension[authority].value[x] only string

Extension: ConsentRevocation
Id: consent-revocation
Title: "Revocation"
Description: "When, by whom and how the consent was revoked (42 CFR 2.31(a)(6)). The status says that it was; disclosures made before stay lawful."
Context: Consent
* extension contains at 1..1 and by 0..1 and how 0..1 and reason 0..1
* extension[at] ^short = "When it was revoked"
* extension[at].value[x] 1..1
* extension[at].value[x] only dateTime
* extension[by] ^short = "Who revoked it"
* extension[by].value[x] 1..1
* extension[by].value[x] only string
* extension[how] ^short = "written, oral, electronic"
* extension[how].value[x] 1..1
* extension[how].value[x] only code
* extension[how].valueCode from RevocationModeVS (required)
* extension[reason] ^short = "In the client's words"
* extension[reason].value[x] 1..1
* extension[reason].value[x] only string

Extension: RecordIdentifier
Id: record-identifier
Title: "Record identifier"
Description: "The case-management system's own number, on types whose one identifier has another use: a GPRA interview's is its key."
Context: QuestionnaireResponse
* value[x] 1..1
* value[x] only Identifier

Extension: QuestionnaireScore
Id: questionnaire-score
Title: "Score of an instrument"
Description: "Which items are added to which score, and what the sums mean. An item without exactly one answer leaves the score unsaid."
Context: Questionnaire
* extension contains name 1..1 and item 1..* and band 0..*
* extension[name] ^short = "Code of the score in CodeSystem/instrument-score"
* extension[name].value[x] 1..1
* extension[name].value[x] only code
* extension[item] ^short = "linkId of an item that counts"
* extension[item].value[x] 1..1
* extension[item].value[x] only string
* extension[band] ^short = "lowest|highest|meaning"
* extension[band].value[x] 1..1
* extension[band].value[x] only string

Extension: ScorePointsYes
Id: questionnaire-score-points-yes
Title: "Points for yes"
Description: "Points a boolean item gives when the answer is yes."
Context: Questionnaire.item
* value[x] 1..1
* value[x] only integer

Extension: ScorePointsNo
Id: questionnaire-score-points-no
Title: "Points for no"
Description: "Points a boolean item gives when the answer is no."
Context: Questionnaire.item
* value[x] 1..1
* value[x] only integer

Extension: Sessions
Id: sessions
Title: "Days or sessions"
Description: "How many days or sessions of the service were given, as GPRA section K counts them."
Context: Procedure
* value[x] 1..1
* value[x] only positiveInt

Extension: ClosingPlanned
Id: closing-planned
Title: "Closing planned for"
Description: "The day on which case management is expected to end; aftercare is planned well before (004 CA-CM 6.01, 6.04)."
Context: DocumentReference
* value[x] 1..1
* value[x] only date

Extension: AssuredOn
Id: assured-on
Title: "Assured on"
Description: "When somebody who knows last vouched for this entry of the directory (Open Referral HSDS assured_date, or last_modified where nobody did). Where it is not said, the entry is as old as its last change here."
Context: HealthcareService
* value[x] 1..1
* value[x] only date
