"""New callers and certificates, and what their programs set."""
