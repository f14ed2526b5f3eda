module greentic.dev/examples/helpdesk/guests

go 1.26.0

require greentic.dev/sdk/go v0.1.0

replace greentic.dev/sdk/go => ../../../sdk/go
