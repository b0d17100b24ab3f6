//! `/api/sessions/{id}/messages`.
