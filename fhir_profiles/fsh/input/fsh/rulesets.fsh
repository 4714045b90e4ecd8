// Every element we ask partners to support says why, in ElementDefinition.requirements.
// scripts/build_profiles.py refuses an element marked must-support in our differential that has none,
// and copies the sentences to docs/profiles.md.
RuleSet: Must(element, why)
* {element} MS
* {element} ^requirements = "{why}"

// What is fixed or narrowed without being must-support says why in the same place.
RuleSet: Because(element, why)
* {element} ^requirements = "{why}"

RuleSet: LocalCodes
* ^experimental = false
* ^caseSensitive = true
* ^content = #complete
