/*
 * What a worker hands on as a client's message must be one whoever packed it:
 * others parse it as JSON.  What its members say is not looked at.
 */
#include "broker/rule_secsync_state.h"
#include "common/json.h"

static const struct {
	struct bytes key;
	enum json_type type;
} body_members[] = {
	{ { (const uint8_t *)"\"ciphertext\"", 12 }, JSON_STRING },
	{ { (const uint8_t *)"\"nonce\"", 7 }, JSON_STRING },
	{ { (const uint8_t *)"\"publicData\"", 12 }, JSON_OBJECT },
	{ { (const uint8_t *)"\"signature\"", 11 }, JSON_STRING },
};

#define BODY_MEMBERS (sizeof(body_members) / sizeof(body_members[0]))

static int body_text_ok(struct bytes);

int
secsync_body_ok(const struct body *body)
{
	return (body->blob != 0 ? body->b.n == 0 : body_text_ok(body->b));
}

static int
body_text_ok(struct bytes text)
{
	struct json_scan s;
	struct json t;
	size_t n = 0;
	int r;

	json_scan_members(&s, text, JSON_DEPTH_MAX);
	while ((r = json_scan_next(&s, &t)) == 1) {
		if (t.type != JSON_KEY || s.depth > 1)
			continue;
		if (n == BODY_MEMBERS ||
		    !bytes_eq(t.text, body_members[n].key) ||
		    json_scan_next(&s, &t) != 1 ||
		    t.type != body_members[n].type)
			return (0);
		n++;
	}
	return (r == 0 && n == BODY_MEMBERS);
}
