"""What do metric providers and traffic routers have in common that ask AWS? Signatures, credentials, errors."""
