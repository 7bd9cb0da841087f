package webhook

// MinTokenSecret is the shortest secret that signs tokens (HS256), in bytes: RFC 7518 section 3.2
// asks for the hash's size.
const MinTokenSecret = 32
