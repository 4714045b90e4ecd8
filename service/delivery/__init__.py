"""What next for this attempt? Plans, retries, outcomes and breakers as values. Pure: no clock, no I/O."""
