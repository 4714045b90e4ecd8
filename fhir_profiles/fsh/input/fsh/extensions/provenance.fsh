Extension: MappingVersion
Id: mapping-version
Title: "Mapping version"
Description: "Version of the Casebridge mapping that made the target from a casework record, so that `casebridge remap` can find what an older mapping made."
Context: Provenance
* value[x] 1..1
* value[x] only string

Extension: RecordVersion
Id: record-version
Title: "Record version"
Description: "Version of the casework record the target was made from."
Context: Provenance.entity
* value[x] 1..1
* value[x] only string
