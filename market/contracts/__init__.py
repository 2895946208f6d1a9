"""Technology contracts: filed, examined, registered here or elsewhere, changed and looked up."""
