/* quirectl keys: what is in a key file, one more, one less.  Offline. */
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/keyring.h"

struct ctl_keys {
	const char *path; /* -k, or NULL: as the configuration has it */
	enum key_alg alg;
	int as_json;
};

typedef int keys_fn(const struct ctl_keys *, const char *kid);

static int ctl_keys(const struct ctl *, int, char **, const char *options,
    int words, keys_fn *);
static keys_fn keys_list, keys_add, keys_retire;
static int keys_failed(const char *path, const char *kid);

int
ctl_keys_list(const struct ctl *ctl, int argc, char **argv)
{
	return (ctl_keys(ctl, argc, argv, "+jk:", 0, keys_list));
}

int
ctl_keys_add(const struct ctl *ctl, int argc, char **argv)
{
	return (ctl_keys(ctl, argc, argv, "+ek:", 1, keys_add));
}

int
ctl_keys_retire(const struct ctl *ctl, int argc, char **argv)
{
	return (ctl_keys(ctl, argc, argv, "+k:", 1, keys_retire));
}

static int
ctl_keys(const struct ctl *ctl, int argc, char **argv, const char *options,
    int words, keys_fn *run)
{
	struct ctl_keys a = { .alg = KEY_HS256 };
	struct config *config = NULL;
	int c, status;

	while ((c = getopt(argc, argv, options)) != -1)
		if (c == 'e')
			a.alg = KEY_EDDSA;
		else if (c == 'j')
			a.as_json = 1;
		else if (c == 'k')
			a.path = optarg;
		else
			return (ctl_usage(argv[0]));
	if (argc - optind != words)
		return (ctl_usage(argv[0]));
	if (a.path == NULL && (config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	if (a.path == NULL)
		a.path = config->keys;
	status = run(&a, argv[optind]);
	if (status == 0 && fflush(stdout) == EOF) {
		log_warn("standard output");
		status = EX_IOERR;
	}
	config_free(config);
	return (status);
}

int
ctl_kid_ok(const char *kid)
{
	if (keyring_kid_ok(bytes_str(kid)))
		return (1);
	log_warnx("\"%s\" is no key's name: up to 64 visible characters, but "
		  "no quote, no backslash and no # at its beginning",
	    kid);
	return (0);
}

static int
keys_list(const struct ctl_keys *a, const char *kid)
{
	struct keyring *ring;
	const struct key *key;
	json_t *list = json_array();
	size_t i;

	(void)kid;
	if ((ring = keyring_load(a->path)) == NULL) {
		json_decref(list);
		return (ctl_exit_errno(errno));
	}
	for (i = 0; i < ring->n; i++) {
		key = &ring->keys[i];
		if (!a->as_json)
			printf("%s %s %s\n",
			    key->kid[0] == '\0' ? "-" : key->kid,
			    key_alg_name(key->alg),
			    key->secret == NULL ? "checks" : "signs");
		json_array_append_new(list,
		    json_pack("{s:s,s:s,s:b}", "kid", key->kid, "alg",
			key_alg_name(key->alg), "signs", key->secret != NULL));
	}
	keyring_free(ring);
	if (a->as_json && json_dumpf(list, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	json_decref(list);
	return (0);
}

static int
keys_add(const struct ctl_keys *a, const char *kid)
{
	if (!ctl_kid_ok(kid))
		return (EX_DATAERR);
	return (keyring_file_add(a->path, a->alg, kid) == 0
		? 0
		: keys_failed(a->path, kid));
}

static int
keys_retire(const struct ctl_keys *a, const char *kid)
{
	return (keyring_file_retire(a->path, kid) == 0
		? 0
		: keys_failed(a->path, kid));
}

static int
keys_failed(const char *path, const char *kid)
{
	int error = errno;

	if (error == EEXIST)
		log_warnx("%s.new is there: is it being changed?", path);
	else if (error == ENOENT && access(path, F_OK) == 0) {
		log_warnx("%s: no key %s", path, kid);
		return (EX_DATAERR);
	} else if (error != EINVAL)
		log_warn("%s", path);
	else
		log_warnx("%s stays as it is", path);
	return (error == EEXIST ? EX_CANTCREAT : ctl_exit_errno(error));
}
