CodeSystem: ConsentSignerCS
Id: consent-signer
Title: "Capacities of a signer"
Description: "In which capacity a consent was signed."
* insert LocalCodes
* #client "Client"
* #parent "Parent"
* #guardian "Guardian"
* #personal-representative "Personal representative"

ValueSet: ConsentSignerVS
Id: consent-signer
Title: "Capacities of a signer"
Description: "All capacities of a signer."
* insert AllOf(ConsentSignerCS)

CodeSystem: RevocationModeCS
Id: revocation-mode
Title: "Modes of revocation"
Description: "How a consent was revoked."
* insert LocalCodes
* #written "In writing"
* #oral "Orally"
* #electronic "Electronically"

ValueSet: RevocationModeVS
Id: revocation-mode
Title: "Modes of revocation"
Description: "All modes of revocation."
* insert AllOf(RevocationModeCS)

CodeSystem: PlanSignerCS
Id: plan-signer
Title: "Signers of a plan"
Description: "As what someone signed a care plan or a revision of it (004 CA-CM 4.01, 4.06)."
* insert LocalCodes
* #client "Client"
* #case-manager "Case manager"
* #supervisor "Supervisor"
* #family "Family"
* #guardian "Guardian"

CodeSystem: IntensityCS
Id: intensity
Title: "Intensity of case management"
Description: "Tiers of case management (000 standard 5; 004 CA-CM 5.03, 5.04). Agencies may add their own in a code system of theirs."
* insert LocalCodes
* #intensive "Intensive" "Caseload of ten to fifteen; at least four direct contacts a month."
* #general "General" "Caseload small enough for the clients served."

CodeSystem: RecipientClassCS
Id: recipient-class
Title: "Classes of recipients"
Description: "Classes a consent may name instead of a recipient (42 CFR 2.31(a)(4)); resolved through directory and care team when a disclosure is decided."
* insert LocalCodes
* #treating-providers "My treating providers"
* #health-plans "My health plans"
* #third-party-payers "Third-party payers"
* #program-operators "People helping to operate the program"
* #care-team "My care team"
* #intermediary-participants "Treating providers who take part in the intermediary"
