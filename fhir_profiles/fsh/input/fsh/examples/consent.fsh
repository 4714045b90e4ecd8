Instance: consent-leslie-2026
InstanceOf: CasebridgeConsentPart2
Usage: #example
Title: "Leslie's consent"
Description: "Invented. Riverbend may receive treatment information; Northside only what housing needs; counseling notes nobody."
* identifier.system = "https://harbor.example/consents"
* identifier.value = "CO-771"
* extension[statement][+].valueCode = #right-to-revoke
* extension[statement][+].valueCode = #redisclosure
* extension[statement][+].valueCode = #consequence-of-refusal
* status = #active
* scope = $consentscope#patient-privacy "Privacy Consent"
* category[IDSCL] = $ActCode#IDSCL
* category[1] = $LNC#59284-0
* patient = Reference(leslie-moreno)
* dateTime = "2026-03-05T14:10:00-07:00"
* performer = Reference(leslie-moreno)
* organization = Reference(harbor-recovery-services)
* sourceAttachment.contentType = #application/pdf
* sourceAttachment.title = "Consent to disclose, signed 5 March 2026"
* sourceAttachment.url = "https://harbor.example/documents/CO-771.pdf"
* policy.uri = "https://www.ecfr.gov/current/title-42/chapter-I/subchapter-A/part-2"
* verification.verified = true
* verification.verifiedWith = Reference(leslie-moreno)
* verification.verificationDate = "2026-03-05T14:10:00-07:00"
* provision.type = #deny
* provision.period.start = "2026-03-05"
* provision.period.end = "2027-03-05"
* provision.provision[+].type = #permit
* provision.provision[=].actor.role = $ParticipationType#IRCP
* provision.provision[=].actor.reference = Reference(riverbend-family-health)
* provision.provision[=].action = $consentaction#disclose
* provision.provision[=].purpose = $ActReason#TREAT
* provision.provision[=].securityLabel[+] = $ActCode#SUD
* provision.provision[=].securityLabel[+] = $ActCode#MH
* provision.provision[=].class[+] = http://hl7.org/fhir/resource-types#CarePlan
* provision.provision[=].class[+] = http://hl7.org/fhir/resource-types#Observation
* provision.provision[+].type = #permit
* provision.provision[=].actor.role = $ParticipationType#IRCP
* provision.provision[=].actor.reference = Reference(northside-housing)
* provision.provision[=].action = $consentaction#disclose
* provision.provision[=].purpose = $ActReason#COC
* provision.provision[=].class[+] = http://hl7.org/fhir/resource-types#ServiceRequest
* provision.provision[=].class[+] = http://hl7.org/fhir/resource-types#Task

Instance: consent-tpo
InstanceOf: CasebridgeConsentPart2
Usage: #example
Title: "Consent for treatment, payment and operations"
Description: "Invented. One consent for all future treatment, payment and health care operations, without an end."
* extension[expiryEvent].valueCodeableConcept = ConsentExpiryEventCS#none
* extension[statement][+].valueCode = #right-to-revoke
* extension[statement][+].valueCode = #redisclosure
* extension[statement][+].valueCode = #tpo-redisclosure
* status = #active
* scope = $consentscope#patient-privacy
* category[IDSCL] = $ActCode#IDSCL
* patient = Reference(leslie-moreno)
* dateTime = "2026-03-05"
* performer = Reference(leslie-moreno)
* organization = Reference(harbor-recovery-services)
* sourceAttachment.title = "Consent for treatment, payment and health care operations"
* policy.uri = "https://www.ecfr.gov/current/title-42/chapter-I/subchapter-A/part-2"
* provision.extension[allInformation].valueBoolean = true
* provision.type = #permit
* provision.actor.role = $ParticipationType#IRCP
* provision.actor.reference.display = "My treating providers, health plans, third-party payers, and people helping to operate this program"
* provision.purpose[+] = $ActReason#TREAT
* provision.purpose[+] = $ActReason#HPAYMT
* provision.purpose[+] = $ActReason#HOPERAT

Instance: consent-restriction
InstanceOf: CasebridgeConsent
Usage: #example
Title: "Leslie denies disclosure to Lakeview"
Description: "Invented. A refusal, in the R4 dialect: the rule is OPTIN and one exception denies."
* status = #active
* scope = $consentscope#patient-privacy
* category = $LNC#59284-0
* patient = Reference(leslie-moreno)
* dateTime = "2026-03-05"
* performer = Reference(leslie-moreno)
* policyRule = $ActCode#OPTIN
* provision.provision.type = #deny
* provision.provision.securityLabel = $ActCode#SUD
* provision.provision.actor.role = $ParticipationType#IRCP
* provision.provision.actor.reference.display = "Lakeview Employment Center"
