CodeSystem: ServiceAreaCS
Id: service-area
Title: "Service areas of case management"
Description: "The nine areas a case-management programme provides or formally arranges (004 CA-CM 5.01), with the recovery-support areas of 000 that stand outside them. ConceptMaps lead from here to SDOH categories, SNOMED CT, HL7 service types, HCPCS and GPRA services."
* insert LocalCodes
* #crisis "Twenty-four-hour crisis services" "5.01-1: crisis intervention and stabilisation at any hour."
* #psychiatric "Psychiatric services" "5.01-2: psychiatric evaluation and treatment."
* #housing "Housing" "5.01-3: safe housing, transitional and supportive housing."
* #medical-dental "Medical and dental services" "5.01-4: health and dental care."
* #substance-use "Alcohol and other drug education and treatment" "5.01-5: education, treatment and testing."
* #public-assistance "Public assistance and income" "5.01-6: benefits, income and financial services."
* #family-support "Family support" "5.01-7: family therapy, marriage and family education, parenting."
* #vocational "Vocational rehabilitation and employment" "5.01-8: job training, supported employment."
* #transportation "Transportation" "5.01-9: transport to services and work."
* #child-care "Child care" "000 standard 3f2."
* #education "Education and skills for daily living" "000 standard 3g: budgeting, meals, personal care, housekeeping."
* #peer-support "Peer and social support" "000 standard 3e2."
* #legal-community "Legal and community services" "000 standard 3h3."
* #advocacy "Advocacy" "000 standard 7, 004 CA-CM 4.02."
* #case-management "Case management" "The referral for case management itself."

CodeSystem: ActivityCS
Id: case-management-activity
Title: "Activities of case management"
Description: "The seven activities of case management (002 I), documented in the client's clinical record as encounters and procedures."
* insert LocalCodes
* #linkage "Linkage and coordination" "Connecting the client with services and natural supports, and coordinating them."
* #monitoring "Monitoring and follow-up" "Confirming that services started, are appropriate and satisfactory; following up."
* #referral "Referrals and scheduling" "Making referrals and appointments."
* #planning "Service planning" "Developing and reviewing the service plan with the client."
* #advocacy "Advocacy" "Speaking for and with the client to services and agencies."
* #crisis "Crisis management" "Coordinating or assisting crisis intervention."
* #supportive "Supportive interventions" "Occasional supportive counseling, modelling, teaching."

CodeSystem: CaseRoleCS
Id: case-role
Title: "Roles in a case"
Description: "What a person does in a client's case, in the words of casework."
* insert LocalCodes
* #primary-case-manager "Primary case manager" "The one who keeps the case together across agencies."
* #case-manager "Case manager" "A case manager of one agency."
* #supervisor "Supervisor" "Supervises the case manager and reviews the case quarterly."
* #covering-case-manager "Covering case manager" "Stands in for the primary case manager for a time."
* #care-coordinator "Care coordinator"
* #nurse-case-manager "Nurse case manager"
* #peer-supporter "Peer supporter" "A person with lived experience who supports the client."
* #psychiatrist "Psychiatrist" "The psychiatrist or qualified practitioner responsible (001 CM 5.05)."
* #primary-care "Primary care practitioner"
* #counselor "Counselor"
* #service-provider "Service provider" "An agency that delivers a service of the plan."
* #natural-support "Natural support" "Family, friend or other person the client counts on."
* #client "Client"

CodeSystem: TaskDetailCS
Id: task-detail
Title: "Task details"
Description: "Types of Task inputs and outputs that no guide names."
* insert LocalCodes
* #linkage-evidence "Linkage evidence" "Document, contact or enrolment that shows the client was linked with the service (000 standard 3h)."
* #service-started "Service started" "When the service actually began."
* #client-feedback "Client feedback" "What the client said about the service."
* #due-basis "Due basis" "The event from which the due time was counted."
* #possible-same-person "Possibly the same person" "The Patient, in the version that was compared, that may be the same person."
* #match-weight "Match weight" "How much of the two Patients agrees, in the weights of Patient/$match."
* #lead-now "Leads now" "The case manager who leads the case while a transfer or a conflict is open."
* #lead-next "Is to lead" "The case manager who is to lead, or is said to lead, the case."
* #possible-duplicate "Possibly a duplicate" "One of the two services that may be the same, in the version that was compared."
* #hidden-from "Hidden from" "An agency that may not be told of the other service: the client's consents do not say so."
* #withdrawn "Withdrawn" "The service that was withdrawn, in the version that says so."

CodeSystem: ReferralBusinessStatusCS
Id: referral-business-status
Title: "Referral business statuses"
Description: "What a partner knows about a referral beyond its Task status, in words of our own where neither BSeR nor SDOHCC has a code."
* insert LocalCodes
* #waitlisted "On the waiting list"
* #scheduled "Appointment made"
* #missed "Client did not come"
* #rescheduled "Appointment made again"
* #attended "Client came"
* #service-started "Service started"
* #service-confirmed "Start confirmed"
* #cancellation-requested "Cancellation requested"
* #information-needed "More information needed"
* #unclaimed "Not claimed by any agency"

CodeSystem: BackgroundCheckStatusCS
Id: background-check-status
Title: "Background check statuses"
Description: "Result of a criminal background check, without its content."
* insert LocalCodes
* #cleared "Cleared"
* #pending "Pending"
* #not-cleared "Not cleared"
* #expired "Expired"

CodeSystem: CheckedPopulationCS
Id: checked-population
Title: "Populations that need a background check"
Description: "Populations whose workers need a criminal background check (000 standard 2d)."
* insert LocalCodes
* #minors "Minors"
* #developmentally-disabled "Persons with developmental disabilities"
* #elderly "Elderly persons"

CodeSystem: ConsentStatementCS
Id: consent-statement
Title: "Statements on a consent form"
Description: "Statements a written consent under 42 CFR 2.31(a) carries."
* insert LocalCodes
* #right-to-revoke "Right to revoke" "The right to revoke in writing, how, and its limits: (a)(6)."
* #redisclosure "Redisclosure" "Information disclosed may be redisclosed and no longer protected: (a)(10)."
* #tpo-redisclosure "Redisclosure under HIPAA" "The record may be redisclosed under HIPAA except in proceedings against the patient: (a)(4)(iii)."
* #consequence-of-refusal "Consequence of refusing" "What follows from refusing to sign: (a)(10)."
* #fundraising-opt-out "Fundraising" "The opportunity not to receive fundraising communications: (a)(5)."
* #intermediary-list "List of disclosures" "The right to a list of disclosures by an intermediary: 2.24."

CodeSystem: ConsentExpiryEventCS
Id: consent-expiry-event
Title: "Events that end a consent"
Description: "Events that end a consent where there is no date: 42 CFR 2.31(a)(7)."
* insert LocalCodes
* #end-of-treatment "End of treatment"
* #case-closed "Closing of the case"
* #aftercare-ended "End of aftercare"
* #none "None" "No end; allowed for treatment, payment and health care operations."

CodeSystem: ConsentLabelCS
Id: consent-label
Title: "Sensitivity labels of our own"
Description: "Labels HL7 has no code for."
* insert LocalCodes
* #sud-counseling-notes "Substance use disorder counseling notes" "42 CFR 2.11: notes kept apart from the record; they need a consent of their own."

CodeSystem: ConsentActorCS
Id: consent-actor-role
Title: "Roles in a consent"
Description: "Roles of 42 CFR Part 2 that v3 has no code for."
* insert LocalCodes
* #intermediary "Intermediary" "42 CFR 2.11: an exchange that passes records between programs and treating providers."
