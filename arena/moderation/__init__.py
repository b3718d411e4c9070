"""What moderators find in texts: one interface, rules of the operator's own, any endpoint."""
