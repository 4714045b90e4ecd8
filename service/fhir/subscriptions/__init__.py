"""Topic-based subscriptions, pure: topics, what a Subscription asks for, what concerns it, what a notification says.

Subscriptions R5 Backport 1.1.0 for R4: https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/
"""
