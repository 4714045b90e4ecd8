Instance: provenance-referral-housing
InstanceOf: CasebridgeProvenance
Usage: #example
Title: "Where the housing referral came from"
Description: "Invented. Record R-3001, version 1, written by Victoria, mapped by Casebridge, sent by Harbor."
* extension[mappingVersion].valueString = "referral/1.0.0"
* target = Reference(referral-housing)
* occurredDateTime = "2026-03-09T15:20:00-06:00"
* recorded = "2026-03-09T15:20:04-06:00"
* activity = $DataOperation#CREATE
* agent[ProvenanceAuthor].type = $provenance-participant-type#author
* agent[ProvenanceAuthor].who = Reference(victoria-chen-at-harbor)
* agent[ProvenanceAuthor].onBehalfOf = Reference(harbor-recovery-services)
* agent[ProvenanceTransmitter].type = $us-core-provenance-participant-type#transmitter
* agent[ProvenanceTransmitter].who = Reference(harbor-recovery-services)
* agent[Assembler].type = $provenance-participant-type#assembler
* agent[Assembler].who.display = "Casebridge"
* entity.role = #source
* entity.what.identifier.system = "https://harbor.example/referrals"
* entity.what.identifier.value = "R-3001"
* entity.extension[recordVersion].valueString = "1"
