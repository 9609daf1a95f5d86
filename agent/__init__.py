"""The agent: looks at this device while a session is open, and says what a person should know. It never acts."""
