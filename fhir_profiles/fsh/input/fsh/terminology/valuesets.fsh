ValueSet: ServiceAreaVS
Id: service-area
Title: "Service areas of case management"
Description: "All service areas."
* ^experimental = false
* include codes from system ServiceAreaCS

ValueSet: ActivityVS
Id: case-management-activity
Title: "Activities of case management"
Description: "The seven activities."
* ^experimental = false
* include codes from system ActivityCS

ValueSet: CareTeamRoleVS
Id: care-team-role
Title: "Roles in a care team"
Description: "SNOMED CT occupations of the US Core care team member function set that casework uses, NUCC specialties of case management, and our own roles."
* ^experimental = false
* $SCT#768832004 "Case manager"
* $SCT#768820003 "Care coordinator"
* $SCT#768821004 "Care team coordinator"
* $SCT#445451001 "Nurse case manager"
* $SCT#429577009 "Patient advocate"
* $SCT#768826009 "Crisis counselor"
* $NUCC#171M00000X "Case Manager/Care Coordinator"
* $NUCC#172V00000X "Community Health Worker"
* include codes from system CaseRoleCS

ValueSet: BackgroundCheckStatusVS
Id: background-check-status
Title: "Background check statuses"
Description: "All background check statuses."
* ^experimental = false
* include codes from system BackgroundCheckStatusCS

ValueSet: CheckedPopulationVS
Id: checked-population
Title: "Populations that need a background check"
Description: "All such populations."
* ^experimental = false
* include codes from system CheckedPopulationCS

ValueSet: ConsentStatementVS
Id: consent-statement
Title: "Statements on a consent form"
Description: "All statements of 42 CFR 2.31(a)."
* ^experimental = false
* include codes from system ConsentStatementCS

ValueSet: ConsentExpiryEventVS
Id: consent-expiry-event
Title: "Events that end a consent"
Description: "Common events; others are said in text."
* ^experimental = false
* include codes from system ConsentExpiryEventCS

ValueSet: ReferralBusinessStatusVS
Id: referral-business-status
Title: "Referral business statuses"
Description: "BSeR business statuses, SDOHCC capacity and enrolment codes, and our own."
* ^experimental = false
* $bser-status#2.0
* $bser-status#3.0
* $bser-status#4.0
* $bser-status#5.1.1
* $bser-status#5.1.2
* $bser-status#5.1.3
* $bser-status#5.1.4
* $bser-status#5.2
* $bser-status#6.0
* $bser-status#7.0
* $SDOHCC#waitlist
* $SDOHCC#no-capacity
* $SDOHCC#capacity
* $SDOHCC#additional-assessment-required
* $SDOHCC#enrolled
* $SDOHCC#not-enrolled
* $SDOHCC#not-enrolled-on-waitlist
* include codes from system ReferralBusinessStatusCS
