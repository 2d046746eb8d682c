"""Tell endpoints of callers that their jobs and batches have ended, as Standard Webhooks describes (https://www.standardwebhooks.com)."""
