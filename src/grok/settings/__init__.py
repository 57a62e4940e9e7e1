"""What a user may type: values checked, commands read, and where configuration and runs are."""
