Profile: CasebridgeConsent
Parent: Consent
Id: casebridge-consent
Title: "Consent on file"
Description: "Any consent a client gave, refused or limited, in whichever dialect its author writes: root provision as the base rule (IHE, FAST) or policyRule as the base rule with exceptions (R4). Open on purpose: a denial must never be turned away for its form. What permits disclosure of substance use disorder information has to conform to casebridge-consent-part2."
* insert Must(status, [[Only an active consent permits; an inactive one is a revocation.]])
* insert Must(scope, [[Tells a privacy consent from consent to treatment.]])
* insert Must(category, [[Tells a disclosure authorisation from an advance directive.]])
* patient 1..1
* insert Must(patient, [[A consent that names nobody permits nothing.]])
* dateTime 1..1
* insert Must(dateTime, [[The newest word of the client wins; without a date no order can be found.]])
* insert Must(performer, [[Who gave it: the client or someone authorised.]])
* insert Must(organization, [[Who holds it and may disclose.]])
* insert Must(source[x], [[The signed form can be asked for in court.]])
* insert Must(policy, [[Under which law or form.]])
* insert Must(policyRule, [[In the R4 dialect this is the base rule: OPTIN permits, OPTOUT denies.]])
* insert Must(verification, [[That the client was told what it means and confirmed it.]])
* insert Must(provision, [[What is permitted or denied, to whom, for what, until when.]])

Invariant: cb-part2-permit
Description: "A Part 2 consent permits at least one disclosure: provision.type = permit, on the root or on one of its provisions."
Severity: #error
Expression: "(provision | provision.provision).where(type = 'permit').exists()"

Invariant: cb-part2-recipient
Description: "Each permission names its recipient or class of recipients: an actor with role IRCP (42 CFR 2.31(a)(4))."
Severity: #error
Expression: "(provision | provision.provision).where(type = 'permit').all(actor.where(role.coding.where(system = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType' and code = 'IRCP').exists()).exists())"

Invariant: cb-part2-purpose
Description: "Each permission states its purpose (42 CFR 2.31(a)(5))."
Severity: #error
Expression: "(provision | provision.provision).where(type = 'permit').all(purpose.exists())"

Invariant: cb-part2-what
Description: "Each permission says how much and what kind of information: class, code, securityLabel, data, or explicitly all (42 CFR 2.31(a)(3))."
Severity: #error
Expression: "(provision | provision.provision).where(type = 'permit').all(class.exists() or code.exists() or securityLabel.exists() or data.exists() or extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/consent-all-information' and value = true).exists())"

Invariant: cb-part2-expiry
Description: "A consent ends: provision.period.end, or the event that ends it, or 'none' said aloud (42 CFR 2.31(a)(7))."
Severity: #error
Expression: "provision.period.end.exists() or extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/consent-expiry-event').exists()"

Invariant: cb-part2-legal
Description: "A consent for civil, criminal, administrative or legislative proceedings (HLEGAL) is separate from any other (42 CFR 2.31(d))."
Severity: #error
Expression: "(provision | provision.provision).where(type = 'permit').purpose.where(code = 'HLEGAL').exists() implies (provision | provision.provision).where(type = 'permit').purpose.where(code != 'HLEGAL').empty()"

Invariant: cb-part2-notes
Description: "A consent for substance use disorder counseling notes is separate from any other (42 CFR 2.31(b))."
Severity: #error
Expression: "(provision | provision.provision).where(type = 'permit').securityLabel.where(code = 'sud-counseling-notes').exists() implies (provision | provision.provision).where(type = 'permit').all(securityLabel.exists() and securityLabel.where(code != 'sud-counseling-notes').empty())"

Invariant: cb-part2-revoke
Description: "The form says that the client may revoke and how (42 CFR 2.31(a)(6))."
Severity: #error
Expression: "extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/consent-statement' and value = 'right-to-revoke').exists()"

Invariant: cb-part2-redisclosure
Description: "The form says that what is disclosed may be redisclosed (42 CFR 2.31(a)(4)(iii) and (a)(10))."
Severity: #error
Expression: "extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/consent-statement' and value = 'redisclosure').exists()"

Profile: CasebridgeConsentPart2
Parent: http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-Consent
Id: casebridge-consent-part2
Title: "Consent under 42 CFR Part 2"
Description: "A client's written consent to disclose substance use disorder information, with the elements 42 CFR 2.31 requires. A deficient consent may not be acted on (2.31(c)), so what is missing is an error here and not a warning. SDOHCC Consent."
* extension contains ConsentExpiryEvent named expiryEvent 0..1 and ConsentStatement named statement 1..*
* provision.extension contains ConsentAllInformation named allInformation 0..1
* obeys cb-part2-permit and cb-part2-recipient and cb-part2-purpose and cb-part2-what and cb-part2-expiry and cb-part2-legal and cb-part2-notes and cb-part2-revoke and cb-part2-redisclosure
* insert Must(identifier, [[The copy that accompanies each disclosure (42 CFR 2.32(b)) is found by it.]])
* insert Must(status, [[Only active permits; inactive is revocation, which stops what is queued.]])
* scope = $consentscope#patient-privacy
* insert Must(scope, [[Disclosure of information, not consent to treatment.]])
* insert Must(patient, [[Name of the patient (42 CFR 2.31(a)(1)).]])
* insert Must(dateTime, [[Date of signature (42 CFR 2.31(a)(9)); the newest word of the client wins.]])
* performer 1..*
* insert Must(performer, [[Who signed (42 CFR 2.31(a)(8)): the client, or who may sign for a minor or an incapacitated client.]])
* insert Must(organization, [[Who is authorised to disclose (42 CFR 2.31(a)(2)).]])
* insert Must(source[x], [[The signed form itself; a copy goes with each disclosure (42 CFR 2.32(b)).]])
* policy 1..*
* policy.uri 1..1
* insert Must(policy, [[Names the law it is given under, so that a reader knows what else applies.]])
* insert Must(verification, [[That the need for a written release was explained and understood (003 GC 28).]])
* provision 1..1
* provision.type 1..1
* insert Must(provision, [[Without provisions nothing computable was agreed.]])
* insert Must(provision.type, [[The base rule: permit, or deny with permissions below it. R4 forbids it on the root in words only and every current guide uses it; both dialects are read, this one is written.]])
* insert Must(provision.period, [[When it begins and ends (42 CFR 2.31(a)(7)).]])
* insert Must(provision.actor, [[Recipient (42 CFR 2.31(a)(4)).]])
* insert Must(provision.action, [[Disclose or use; a consent to collect does not permit sending.]])
* insert Must(provision.securityLabel, [[Which sensitivity the client allows or withholds.]])
* insert Must(provision.purpose, [[Why it is disclosed (42 CFR 2.31(a)(5)).]])
* insert Must(provision.class, [[What kind of information (42 CFR 2.31(a)(3)).]])
* insert Must(provision.provision, [[One consent may permit different things to different agencies, and except some.]])
* insert Must(extension[expiryEvent], [[Where no date ends the consent, an event does (42 CFR 2.31(a)(7)).]])
* insert Must(extension[statement], [[The statements the form must carry (42 CFR 2.31(a)) are recorded as present.]])
* insert Must(provision.extension[allInformation], [[All is allowed, but has to be said (42 CFR 2.31(a)(3)).]])
