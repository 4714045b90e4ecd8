Profile: CasebridgeNeed
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition-problems-health-concerns
Id: casebridge-need
Title: "Need"
Description: "A need the assessment found, as a health concern. US Core Condition; a social need conforms to SDOHCC Condition as well and claims both. Needs without an SDOH category (crisis, psychiatric, alcohol and drug) do not fit SDOHCC, so it is not the parent."
* insert Must(meta.security, [[A need may name a sensitive condition; its labels decide who may see it.]])
* insert Must(clinicalStatus, [[Whether the need still stands.]])
* insert Must(verificationStatus, [[Found by screening or confirmed with the client.]])
* insert Must(category, [[Health concern; SDOH and its category where it is one.]])
* category contains serviceArea 0..*
* category[serviceArea] from ServiceAreaVS (required)
* insert Must(category[serviceArea], [[Which service area answers the need.]])
* insert Must(code, [[The need.]])
* subject only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(subject, [[Whose need.]])
* insert Must(onset[x], [[Since when.]])
* insert Must(recordedDate, [[When it was found.]])
* insert Must(evidence.detail, [[The answers from which it was found.]])

Profile: CasebridgeGoal
Parent: http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-Goal
Id: casebridge-goal
Title: "Goal"
Description: "What the client wants to reach, in the client's words. SDOHCC Goal."
// SDOHCC Goal claims compliance with a US Core version (3.1.1) nobody has at hand, and profiles inherit the claim;
// ours is about the version it derives from.
* ^extension[+].url = "http://hl7.org/fhir/StructureDefinition/structuredefinition-compliesWithProfile"
* ^extension[=].valueCanonical = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-goal|7.0.0"
* obeys cb-goal-words
* insert Must(meta.security, [[A goal of recovery names what it recovers from.]])
* insert Must(identifier, [[The case-management system's own number.]])
* insert Must(lifecycleStatus, [[Proposed until the client agrees, then active.]])
* insert Must(achievementStatus, [[Progress at each review (004 CA-CM 4.05).]])
* insert Must(category, [[SDOH category, so that partners can sort it.]])
* insert Must(priority, [[The client's order.]])
* insert Must(description, [[Goals for independence as defined by the client (000 standard 3d): text holds the client's own words.]])
* insert Must(subject, [[Whose goal.]])
* insert Must(start[x], [[Since when.]])
* insert Must(target, [[By when and how one will see it (004 CA-CM 4.01: time frames, outcomes).]])
* insert Must(statusDate, [[When the progress was judged.]])
* insert Must(statusReason, [[Why it was dropped or not met.]])
* insert Must(expressedBy, [[Whose goal it is: the client's, the family's or the worker's.]])
* insert Must(addresses, [[The need it answers.]])
* insert Must(note, [[Notes of reviews.]])
* extension contains http://hl7.org/fhir/StructureDefinition/goal-acceptance named acceptance 0..*
* insert Must(extension[acceptance], [[Who agreed: plans are made in partnership (004 CA-CM 4.02).]])

Invariant: cb-goal-words
Description: "A goal should be said in words: description.text."
Severity: #warning
Expression: "description.text.exists()"

Invariant: cb-plan-by-whom
Description: "A service in an active plan should say by whom: a referral (activity.reference), or activity.detail with a performer."
Severity: #warning
Expression: "status = 'active' implies activity.all(reference.exists() or detail.performer.exists())"

Invariant: cb-plan-goal
Description: "An active recovery support plan should have a goal."
Severity: #warning
Expression: "(status = 'active' and category.coding.where(code = 'rss-plan').exists()) implies goal.exists()"

Profile: CasebridgeCarePlan
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan
Id: casebridge-care-plan
Title: "Care plan"
Description: "The recovery support services plan: goals, services and by whom, supports, crisis procedure, intensity and review. US Core CarePlan. Its signatures are Provenance resources with the plan's version as target: an unsigned or undated revision is found there, not here."
* obeys cb-plan-by-whom and cb-plan-goal
* insert Must(meta.security, [[A plan of a Part 2 program is Part 2 data.]])
* insert Must(text, [[US Core asks for the plan as a person reads it; the client signs what they can read.]])
* insert Must(identifier, [[The case-management system's own number.]])
* insert Must(basedOn, [[The treatment plan of the referring agency (000 standard 1).]])
* insert Must(replaces, [[A signed plan is revised by a new one.]])
* insert Must(partOf, [[Plans of several agencies come together in one (000 standard 6b3).]])
* insert Must(status, [[Only an active plan drives timers.]])
* insert Must(intent, [[plan, once agreed; proposal until then.]])
* category contains kind 0..1
* category[kind] from PlanCategoryVS (required)
* insert Must(category[kind], [[RSS, aftercare and closing plans have different timers.]])
* insert Must(title, [[What the client calls it.]])
* insert Must(description, [[Summary, strengths and preferences.]])
* subject only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(subject, [[Whose plan.]])
* insert Must(encounter, [[The contact in which it was made.]])
* insert Must(period, [[Time frame of the plan.]])
* insert Must(created, [[Timeliness of planning (004 CA-CM 4.01) is measured from it.]])
* insert Must(author, [[The worker responsible.]])
* insert Must(contributor, [[The client and others who took part (004 CA-CM 4.06).]])
* insert Must(careTeam, [[By whom, across agencies.]])
* insert Must(addresses, [[The needs it answers.]])
* insert Must(supportingInfo, [[Assessment, and the natural supports counted on.]])
* insert Must(goal, [[Agreed goals (004 CA-CM 4.01).]])
* insert Must(activity, [[Services and by whom (004 CA-CM 4.01).]])
* insert Must(activity.reference, [[A service to be arranged is a referral, whose loop can be followed.]])
* insert Must(activity.detail, [[What worker or client do themselves.]])
* insert Must(activity.progress, [[What the reviews found.]])
* insert Must(note, [[Reviews and what no element holds.]])
* extension contains Intensity named intensity 0..1 and CrisisProcedure named crisisProcedure 0..1 and NextReview named nextReview 0..1
* insert Must(extension[intensity], [[Intensity per plan (000 standard 5) sets the timers.]])
* insert Must(extension[crisisProcedure], [[Expedited procedures (004 CA-CM 4.01-4).]])
* insert Must(extension[nextReview], [[Quarterly review (004 CA-CM 4.05).]])

Invariant: cb-team-one-primary
Description: "An active care team has exactly one primary case manager."
Severity: #error
Expression: "(status.exists() and status != 'active') or participant.where(extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/primary-case-manager' and value = true).exists()).count() = 1"

Invariant: cb-team-never-two
Description: "No care team, whatever its status, has two primary case managers."
Severity: #error
Expression: "participant.where(extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/primary-case-manager' and value = true).exists()).count() <= 1"

Invariant: cb-team-primary-current
Description: "The primary case manager is named, by reference or identifier, and acts for an agency: onBehalfOf, or a member in a PractitionerRole."
Severity: #error
Expression: "extension.where(url = 'https://casebridge.example/fhir/StructureDefinition/primary-case-manager' and value = true).exists() implies ((onBehalfOf.exists() and (member.reference.exists() or member.identifier.exists())) or member.reference.contains('PractitionerRole/'))"

Profile: CasebridgeCareTeam
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-careteam
Id: casebridge-care-team
Title: "Care team"
Description: "Everyone who takes part in one client's case, across agencies, with exactly one primary case manager. US Core CareTeam. It is the profile of the case team this service keeps; a partner's own clinical team is a US Core CareTeam and is not held to it."
* obeys cb-team-one-primary and cb-team-never-two
* insert Must(meta.security, [[Membership reveals participation; a Part 2 agency's members are redacted without consent.]])
* insert Must(identifier, [[The case-management system's own number.]])
* insert Must(status, [[A team proposed or inactive may be without a lead, an active one not.]])
* category from CareTeamCategoryVS (preferred)
* insert Must(category, [[Longitudinal or episode-focused.]])
* subject only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(subject, [[Whose team.]])
* insert Must(period, [[From intake to closing.]])
* insert Must(participant, [[Who, in which role, for which agency, from when to when.]])
* participant obeys cb-team-primary-current
* insert Must(participant.role, [[What the member does in the case.]])
* insert Must(participant.member, [[Who.]])
* insert Must(participant.onBehalfOf, [[For which agency: consent decides by it whether the member may be seen. R4 (ctm-1) allows it beside a Practitioner only; a PractitionerRole brings its own.]])
* insert Must(participant.period, [[The fewest workers possible (004 CA-CM 2.04): they are counted from it.]])
* insert Must(managingOrganization, [[The agency of the primary case manager.]])
* participant.extension contains PrimaryCaseManager named primary 0..1 and CoversFor named coversFor 0..1
* insert Must(participant.extension[primary], [[One primary case manager where several serve (000 standard 6a).]])
* insert Must(participant.extension[coversFor], [[Leave must not leave the client alone; and is not a change of lead.]])
