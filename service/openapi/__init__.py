"""Build the OpenAPI document, in a form from which the common generators make clients with right types."""
