Invariant: cb-prov-signature
Description: "Each signer, where given by reference, is also an agent, so that the signature can be attributed."
Severity: #warning
Expression: "signature.who.reference.all($this in %resource.agent.who.reference)"

Profile: CasebridgeProvenance
Parent: http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance
Id: casebridge-provenance
Title: "Provenance"
Description: "Which record, in which version, by whom and by which mapping a resource was made; and who signed it. US Core Provenance."
* extension contains MappingVersion named mappingVersion 0..1
* entity.extension contains RecordVersion named recordVersion 0..1
* insert Must(target, [[The version it speaks of.]])
* insert Must(occurred[x], [[When the work was done, which for casework is often days before it is recorded.]])
* insert Must(recorded, [[When it was written down.]])
* insert Must(activity, [[Created, revised or transmitted.]])
* insert Must(agent, [[Author and agency, and the transmitter where it came through us.]])
* agent contains Assembler 0..1
* agent[Assembler].type 1..1
* agent[Assembler].type = $provenance-participant-type#assembler
* insert Must(agent[Assembler], [[The software that mapped the record: a mistake is looked for there and not with the author.]])
* insert Must(entity, [[The casework record, by its own identifier and version.]])
* insert Must(entity.what, [[Names the record without making the private record a FHIR resource.]])
* insert Must(signature, [[Plans and their revisions are signed and dated by worker and client (004 CA-CM 4.01, 4.06).]])
* insert Must(extension[mappingVersion], [[Re-mapping after a change finds what an older mapping made.]])
* insert Must(entity.extension[recordVersion], [[A dispute about what was sent is settled by the version of the record.]])
