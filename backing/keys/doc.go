// Package keys keeps signing keys and the keys to trust as files in one folder.
//
// What it is: private Ed25519 keys (PKCS#8 PEM, mode 0600) under private/, trusted public keys
// (SPKI PEM) under trusted/, and signers made of the former. Who calls it: cmd for the key
// commands and for signing, system to pass the trust store to runtime/loader. What it refuses to
// do: replace a key, use a private key others can read, give a private key away, choose its own
// folder. Main types: [Store], [Key], [Signer]. Keys belong to the machine, not to a tenant.
// Its promises are tested in keys_test.go.
package keys
