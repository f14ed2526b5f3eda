// Package trust says who vouches for a pack, and why that counts or not.
//
// What it is: the archive signature of packs (formats digest 4.6 item 1): the digest, the
// signature document, the developer certificate beside it, and the report of a verification.
// Who calls it: runtime/loader to decide, backing/keys to sign, build and cmd to write and show.
// What it refuses to do: read files, know the time, make keys, believe a key that the caller did
// not pass in. Main types: [Key], [Content], [Signature], [Report]. Its promises are tested in
// trust_test.go and fuzzed by FuzzParseSignature.
package trust
