"""`casebridge partner check`: a partner is tried out, step by step, with a referral about nobody."""
