param($Arguments)
# A share of this file server, its folder, and what the server demands of its clients.
return (Get-CauShareFacts -Name ([string]$Arguments.share))
