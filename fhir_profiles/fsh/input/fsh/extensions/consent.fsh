Extension: ConsentAllInformation
Id: consent-all-information
Title: "All of the record"
Description: "True where the client agreed to the disclosure of all their substance use disorder information. 42 CFR 2.31(a)(3) asks how much and what kind; silence is not an answer, so 'all' has to be said."
Context: Consent.provision, Consent.provision.provision
* value[x] 1..1
* value[x] only boolean

Extension: ConsentExpiryEvent
Id: consent-expiry-event
Title: "Event that ends the consent"
Description: "The event or condition on which the consent expires where there is no date (42 CFR 2.31(a)(7)): end of treatment, closing of the case, or none."
Context: Consent
* value[x] 1..1
* value[x] only CodeableConcept
* valueCodeableConcept from ConsentExpiryEventVS (extensible)

Extension: ConsentStatement
Id: consent-statement
Title: "Statement on the consent form"
Description: "A statement 42 CFR 2.31(a) requires on the form and that the signed form carries. The form itself is in Consent.source; this says what was checked on it."
Context: Consent
* value[x] 1..1
* value[x] only code
* valueCode from ConsentStatementVS (required)
