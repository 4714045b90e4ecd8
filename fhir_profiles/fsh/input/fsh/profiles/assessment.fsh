Profile: CasebridgeAssessmentResponse
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-questionnaireresponse
Id: casebridge-assessment-response
Title: "Assessment response"
Description: "The client's answers to an instrument, as given. US Core and SDC QuestionnaireResponse."
* insert Must(meta.security, [[Answers on substance use carry their labels.]])
* insert Must(identifier, [[Re-submission amends the same assessment.]])
* insert Must(questionnaire, [[Which instrument in which version: answers mean nothing without it.]])
* insert Must(status, [[In progress, completed or amended.]])
* subject only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(subject, [[Who was assessed.]])
* insert Must(encounter, [[Where and in which contact: in person in a place of the client's choice (004 CA-CM 3.04).]])
* insert Must(authored, [[When; reassessment is due from it (004 CA-CM 3.05).]])
* insert Must(author, [[Who recorded it.]])
* insert Must(source, [[Who answered: the client, a parent, a proxy.]])
* insert Must(item, [[The answers.]])
* extension contains TookPart named tookPart 0..*
* insert Must(extension[tookPart], [[Natural supports who took part (004 CA-CM 3.04).]])
* extension contains Place named place 0..1
* insert Must(extension[place], [[Where, if no encounter says it (004 CA-CM 3.04).]])

Profile: CasebridgeAssessmentObservation
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-screening-assessment
Id: casebridge-assessment-observation
Title: "Assessment observation"
Description: "One answer or score taken from an assessment response, so that an EHR can use it. US Core Screening and Assessment; a social one conforms to SDOHCC ObservationScreeningResponse as well and claims both. Scores such as AUDIT-C are not SDOH, so SDOHCC is not the parent."
* obeys cb-obs-derived
* insert Must(meta.security, [[A score of AUDIT-C or DAST is substance use information.]])
* insert Must(identifier, [[The same answer is amended, not doubled, when the assessment is submitted again.]])
* insert Must(status, [[final, then amended; never deleted (SDC).]])
* insert Must(category, [[survey; SDOH and its category where it is one.]])
* insert Must(code, [[The question or score, in LOINC.]])
* subject only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(subject, [[Whose answer.]])
* insert Must(encounter, [[In which contact.]])
* effective[x] 1..1
* insert Must(effective[x], [[When it was true; SDOHCC requires it.]])
* insert Must(performer, [[Who said so.]])
* insert Must(value[x], [[The answer.]])
* insert Must(dataAbsentReason, [[Refused is an answer too, and not a no.]])
* insert Must(interpretation, [[Whether the score is positive.]])
* insert Must(hasMember, [[Panel and its answers.]])
* insert Must(derivedFrom, [[The response it was taken from: without it an answer cannot be checked.]])

Invariant: cb-obs-derived
Description: "An assessment observation should say from which response it was taken: derivedFrom, or hasMember for a panel."
Severity: #warning
Expression: "derivedFrom.exists() or hasMember.exists() or performer.exists()"

Invariant: cb-gpra-key
Description: "The identifier of a GPRA interview is grant|client|type|sequence."
Severity: #warning
Expression: "identifier.value.matches('^[^|]+[|][^|]{1,15}[|][1-6][|][1-9][0-9]*$')"

Invariant: cb-gpra-part2
Description: "A GPRA interview is labelled as substance use information: meta.security holds 42CFRPart2."
Severity: #error
Expression: "meta.security.where(system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode' and code = '42CFRPart2').exists()"

Profile: CasebridgeGpraResponse
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-questionnaireresponse
Id: casebridge-gpra-response
Title: "GPRA response"
Description: "One GPRA interview, conducted or not, of one intake of one client under one grant. US Core QuestionnaireResponse; the tool is a versioned Questionnaire."
* obeys cb-gpra-key and cb-gpra-part2
* meta 1..1
* meta.security 1..*
* insert Must(meta.security, [[GPRA interviews are about substance use treatment: the label is required, not inferred.]])
* identifier 1..1
* insert Must(identifier, [[Grant, client, type and sequence: refuses a second interview of the same kind.]])
* insert Must(questionnaire, [[Tool and version: items and edits changed in 2017, 2019, 2023 and 2025.]])
* insert Must(status, [[completed once the edits are passed.]])
* subject only Reference(http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient)
* insert Must(subject, [[Whose interview; the file sent carries only the GPRA client id.]])
* insert Must(encounter, [[The contact in which it was held.]])
* insert Must(authored, [[The interview date, which decides whether it was within the window.]])
* insert Must(author, [[Who completed it; the primary case manager owes it (000 standard 6b2).]])
* insert Must(item, [[The answers, missing codes included.]])
* extension contains GpraInterview named interview 1..1
* insert Must(extension[interview], [[The key of the interview in parts, which the export reads.]])
