Invariant: cb-sr-who
Description: "A referral should say who asks: requester, so that the answer reaches someone."
Severity: #warning
Expression: "requester.exists()"

Invariant: cb-sr-when
Description: "A referral should say when: authoredOn, and occurrence where a time is known."
Severity: #warning
Expression: "authoredOn.exists()"

Invariant: cb-sr-where
Description: "A referral should say where or to whom: performer, performerType, locationReference or locationCode."
Severity: #warning
Expression: "performer.exists() or performerType.exists() or locationReference.exists() or locationCode.exists()"

Invariant: cb-sr-why
Description: "A referral should say why: reasonCode or reasonReference, or the goal it serves."
Severity: #warning
Expression: "reasonCode.exists() or reasonReference.exists() or extension.where(url = 'http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal').exists()"

Profile: CasebridgeReferralRequest
Parent: http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ServiceRequest
Id: casebridge-referral-request
Title: "Referral request"
Description: "What is asked of another agency for one client. SDOHCC ServiceRequest; who, what, when, where and why (003) are asked for by warnings, because partners differ in what they can say, while the client and what is asked are not negotiable."
* obeys cb-sr-who and cb-sr-when and cb-sr-where and cb-sr-why
* insert Must(meta.security, [[A referral to or from a Part 2 program is Part 2 data; the labels decide what may leave.]])
* insert Must(identifier, [[Placer and filler numbers tie together the two sides of a loop; BSeR partners require the placer's.]])
* insert Must(basedOn, [[Each referral serves a plan (000 standard 1, 003); an intermediary's own request points to the source's.]])
* insert Must(requisition, [[Several services asked for at once are shown to the client as one request.]])
* insert Must(status, [[The requester's word on whether the service is still wanted; progress is in the Task.]])
* insert Must(intent, [[filler-order marks an intermediary's copy, order the original: needed to count each referral once.]])
* category contains serviceArea 0..*
* category[serviceArea] from ServiceAreaVS (required)
* insert Must(category[serviceArea], [[The nine service areas of case management (004 CA-CM 5.01), of which SDOH categories cover only part: crisis, psychiatric and alcohol or drug care have none.]])
* insert Must(priority, [[Urgent needs go first (004 CA-CM 3.02); it sets the clock of the acceptance timer.]])
* doNotPerform = false
* insert Because(doNotPerform, [[A referral that asks for nothing to be done would be read as one that does; partners use refusals and consents for that.]])
* insert Must(code, [[What service; SNOMED CT codes of CODES.md where there is one, text where there is none.]])
* insert Must(orderDetail, [[Carries SDOHCC's contacting-subject-prohibited, and times such as Tuesday and Thursday evenings.]])
* insert Must(quantity[x], [[The dose of a service is part of finding that two agencies give the same one.]])
* subject only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(subject, [[One client: the consent decision needs a person, so groups and locations are not referred.]])
* insert Must(encounter, [[Shows the contact in which the referral was agreed.]])
* insert Must(occurrence[x], [[Start confirmed within two working days of the scheduled start (004 CA-CM 4.04-1): the timer starts here.]])
* insert Must(authoredOn, [[When it was asked.]])
* insert Must(requester, [[Who asked, and whom to answer.]])
* insert Must(performer, [[Who is asked; absent for a need any agency may take up.]])
* insert Must(locationReference, [[Where the service is wanted: near the client, or at the place that serves.]])
* insert Must(reasonCode, [[Why, in a code or the client's own words.]])
* insert Must(reasonReference, [[Why: the need found by the assessment.]])
* insert Must(supportingInfo, [[The consent that permits it and the assessment results the partner may see.]])
* insert Must(note, [[What no element holds.]])
* insert Must(patientInstruction, [[The client's preferences (000 standard 3f7), in words the client can read.]])

Invariant: cb-task-reason
Description: "A referral that is rejected, cancelled, put on hold or failed should say why in statusReason."
Severity: #warning
Expression: "(status = 'rejected' or status = 'cancelled' or status = 'on-hold' or status = 'failed') implies statusReason.exists()"

Invariant: cb-task-output
Description: "A completed referral should say what was delivered in output."
Severity: #warning
Expression: "status = 'completed' implies output.exists()"

Profile: CasebridgeReferralTask
Parent: http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForReferralManagement
Id: casebridge-referral-task
Title: "Referral task"
Description: "Where a referral is in the loop: who has it, what they answered, what came of it. SDOHCC TaskForReferralManagement; the moves allowed between statuses are rows of the partner's dialect, not part of the profile."
* obeys cb-task-reason and cb-task-output
* insert Must(meta.security, [[The loop of a Part 2 referral is Part 2 data as well.]])
* insert Must(identifier, [[BSeR partners tie their own number to it (FILL); COW partners require one.]])
* insert Must(partOf, [[Fan-out to several agencies rolls up to the task it came from.]])
* insert Must(status, [[The state of the loop.]])
* insert Must(statusReason, [[A refusal without a reason cannot become advocacy (004 CA-CM 4.02).]])
* businessStatus from ReferralBusinessStatusVS (preferred)
* insert Must(businessStatus, [[Scheduled, missed, on the waiting list: what partners know beyond the status; BSeR and SDOHCC codes both fit.]])
* insert Must(priority, [[Repeated from the request so that a worklist can be sorted without reading it.]])
* insert Must(focus, [[The request this task asks to be fulfilled.]])
* for only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(for, [[One client: every read and every push of the task is decided by this client's consent.]])
* insert Must(executionPeriod, [[Actual start: satisfaction is verified fifteen working days later (004 CA-CM 4.04-2).]])
* insert Must(authoredOn, [[When it was asked; acceptance is timed from here.]])
* insert Must(lastModified, [[When the answer was given, by the partner's clock.]])
* insert Must(requester, [[Who may cancel, and who is told.]])
* insert Must(owner, [[Who has it; absent while any agency may claim it.]])
* insert Must(note, [[What the partner says to the case manager.]])
* insert Must(restriction.period, [[By when an answer is needed.]])
* output contains LinkageEvidence 0..*
* output[LinkageEvidence].type = TaskDetailCS#linkage-evidence
* output[LinkageEvidence].value[x] only Reference(DocumentReference or Encounter or Communication or EpisodeOfCare)
* insert Must(output[LinkageEvidence], [[Evidence of linkage with financial, medical and community services (000 standard 3h).]])
