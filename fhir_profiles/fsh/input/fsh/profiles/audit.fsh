Profile: CasebridgeAuditEvent
Parent: AuditEvent
Id: casebridge-audit-event
Title: "Audit event"
Description: "Who did what to whose data, when, and whether it was allowed: what every IHE BALP basic audit has in common. Each event of a RESTful access claims its BALP profile (Create, Read, Update, Delete, Query and their Patient forms) as well."
* insert Must(type, [[Tells access from disclosure and from login.]])
* subtype 1..*
* insert Must(subtype, [[The interaction.]])
* insert Must(action, [[Create, read, update, delete or execute.]])
* insert Must(recorded, [[When.]])
* outcome 1..1
* insert Must(outcome, [[Refused accesses are the ones a privacy officer looks for.]])
* insert Must(purposeOfEvent, [[Why, where the caller said so.]])
* insert Must(agent, [[Who: client system, user and agency.]])
* agent.who 1..1
* insert Must(agent.who, [[An agent nobody can name proves nothing.]])
* insert Must(agent.network, [[From where.]])
* insert Must(agent.policy, [[Under which token or consent.]])
* insert Must(source, [[Which server wrote it.]])
* insert Must(entity, [[Which data, whose, and the request id that ties the logs of both sides together.]])

Invariant: cb-disclosure-consent
Description: "A disclosure based on consent names the consent: an entity whose what refers to it."
Severity: #error
Expression: "extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/disclosure-basis' and value = 'consent').exists() implies entity.what.where(reference.contains('Consent/')).exists()"

Invariant: cb-disclosure-emergency
Description: "A disclosure in an emergency says the nature of the emergency and names the recipient (42 CFR 2.51(c))."
Severity: #error
Expression: "extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/disclosure-basis' and value = 'emergency').exists() implies (extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/emergency-nature').exists() and agent.where(type.coding.code = '110152').who.exists())"

Invariant: cb-disclosure-agreement
Description: "A disclosure for audit, research, by agreement or by court order names the agreement or order."
Severity: #error
Expression: "extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/disclosure-basis' and (value = 'audit-evaluation' or value = 'qsoa' or value = 'court-order' or value = 'research')).exists() implies extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/disclosure-agreement').exists()"

Profile: CasebridgeAuditDisclosure
Parent: https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source
Id: casebridge-audit-disclosure
Title: "Audit of a disclosure"
Description: "One disclosure of one client's information to one recipient: the row of the accounting of disclosures (42 CFR 2.24, 2.25). IHE BALP PrivacyDisclosure.Source."
* obeys cb-disclosure-consent and cb-disclosure-emergency and cb-disclosure-agreement
* insert Must(recorded, [[The date the accounting shows.]])
* insert Must(outcome, [[Whether it arrived.]])
* purposeOfEvent 1..*
* insert Must(purposeOfEvent, [[Why; the accounting shows it.]])
* insert Must(agent, [[Who disclosed and to whom.]])
* insert Must(entity, [[Whose record, which resources, under which consent; entity.description is the brief description the list of disclosures gives (42 CFR 2.24).]])
* extension contains DisclosureBasis named basis 1..1 and DisclosureAgreement named agreement 0..1 and EmergencyNature named emergencyNature 0..1
* insert Must(extension[basis], [[Without a basis the disclosure was unlawful; a row that cannot say it may not be written.]])
* insert Must(extension[agreement], [[Audit, research and court disclosures rest on a document.]])
* insert Must(extension[emergencyNature], [[42 CFR 2.51(c) asks for it at once.]])
