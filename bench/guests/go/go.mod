module greentic.dev/bench/guests/go

go 1.26.0
