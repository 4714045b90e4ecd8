Profile: CasebridgeClient
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient
Id: casebridge-client
Title: "Client"
Description: "The person served, as the case-management system and its partners know them. US Core Patient, with what a case manager must not lose: the language, the people around the client, and how the client may be contacted."
* extension contains ContactNote named contactNote 0..1
* telecom.extension contains ContactPermitted named contactPermitted 0..1
* insert Must(meta.security, [[Being a client of a Part 2 program is itself protected (42 CFR 2.12, CASEWORK.md 4.3), so the record carries its labels wherever it goes.]])
* insert Must(active, [[A merged or mistaken record must not be referred again.]])
* insert Must(identifier, [[The case-management system finds the client again by its own number; partners by theirs.]])
* insert Must(name, [[A referral is useless to a partner who cannot greet the client; names are kept as the client writes them.]])
* insert Must(telecom, [[Partners make first contact; whether they may is in contact-permitted.]])
* insert Must(telecom.extension[contactPermitted], [[No contact where it is prohibited (004 CA-CM 6.05): the wish travels with the number itself.]])
* insert Must(birthDate, [[Identity matching, age rules for adolescents, and GPRA birth month and year; may be partial or absent when unknown.]])
* insert Must(address, [[Housing, transport and child-care partners need to know where; may be only a city for someone without a home.]])
* insert Must(communication, [[Assessment must be culturally and linguistically responsive (004 CA-CM 3.03).]])
* insert Must(communication.preferred, [[With two languages listed, the partner must know which one to book an interpreter for.]])
* insert Must(contact, [[Natural supports and emergency contact are part of the assessment (004 CA-CM 3.04).]])
* insert Must(managingOrganization, [[Says which agency keeps the record: the custodian for consent decisions.]])
* insert Must(link, [[Merge and unmerge of duplicate clients must be visible to whoever holds the other identifier.]])
* insert Must(extension[contactNote], [[How to reach the client safely is said in words a code list cannot hold.]])

Profile: CasebridgeCaseManager
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner
Id: casebridge-case-manager
Title: "Case manager"
Description: "The person who manages cases, with what qualifies them to. US Core Practitioner."
* extension contains BackgroundCheck named backgroundCheck 0..*
* insert Must(active, [[A worker who has left may not be assigned.]])
* insert Must(identifier, [[The same worker is recognised across agencies; case managers often have no NPI, so any identifier serves.]])
* insert Must(name, [[Clients and partners are told who the case manager is.]])
* insert Must(telecom, [[Partners call the case manager, not the agency's front desk.]])
* insert Must(communication, [[Matching a client to a worker who speaks their language (004 CA-CM 3.03).]])
* insert Must(qualification, [[Bachelor-equivalent, or two years in the service, must be shown on assignment (000 standard 2c, 004 CA-CM 2.01).]])
* insert Must(extension[backgroundCheck], [[Work with minors, developmentally disabled and elderly clients needs a check (000 standard 2d); assignment warns without one.]])

Profile: CasebridgeCaseManagerRole
Parent: http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-practitionerrole
Id: casebridge-case-manager-role
Title: "Case manager in an agency"
Description: "A person in a role at an agency: who requests, performs, leads and supervises. One person may have roles at several agencies. SDOHCC PractitionerRole."
* extension contains Supervisor named supervisor 0..1
* insert Must(active, [[A closed role may not be requester or owner of new work.]])
* insert Must(period, [[Continuity counts the workers a client has had (004 CA-CM 2.04); that needs when each one served.]])
* insert Must(practitioner, [[A role nobody fills cannot be held responsible; SDOHCC requires it as well.]])
* insert Must(organization, [[Consent names organisations: without the agency no disclosure to or by this worker can be decided.]])
* insert Must(code, [[Case manager, supervisor, peer or psychiatrist decides which duties fall due to whom.]])
* insert Must(specialty, [[Which recovery-support services the worker is experienced in (000 standard 2c).]])
* insert Must(telecom, [[The number for this role, which differs from agency to agency.]])
* insert Must(availableTime, [[Twenty-four-hour crisis routing asks who is on call (001 CM 5.01-1).]])
* insert Must(extension[supervisor], [[Quarterly reviews and escalations need the supervisor (004 CA-CM 4.05).]])

Profile: CasebridgeAgency
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-organization
Id: casebridge-agency
Title: "Agency"
Description: "An organisation that refers, serves, funds or coordinates. US Core Organization, with the two facts the law asks about it."
* extension contains Part2Program named part2Program 0..1 and HipaaCoveredEntity named hipaaCoveredEntity 0..1
* insert Must(identifier, [[The directory recognises the agency by NPI, EIN or its own number.]])
* insert Must(active, [[A closed agency receives nothing; what is queued for it is held.]])
* insert Must(type, [[A class of recipients in a consent (my treating providers) is resolved by type.]])
* insert Must(name, [[Consents, notices and the accounting of disclosures name the recipient.]])
* insert Must(telecom, [[The way to reach an agency without FHIR is the telephone.]])
* insert Must(address, [[Partners choose services a client can reach.]])
* insert Must(partOf, [[A consent to an organisation covers its departments only where the tree is known.]])
* insert Must(endpoint, [[Where deliveries go, where the agency has a FHIR server.]])
* insert Must(extension[part2Program], [[Whether 42 CFR Part 2 protects all this agency records decides every disclosure.]])
* insert Must(extension[hipaaCoveredEntity], [[Decides what a recipient may do next (42 CFR 2.33) and so the label sent along.]])
