/*
 * What the commands of quirectl share.  A command gets its own words as argv,
 * its name first, and returns what the program exits with: 0 or one of
 * <sysexits.h>.
 */
#ifndef QUIRE_CTL_H
#define QUIRE_CTL_H

struct config;

struct ctl {
	const char *conf_path; /* -f, or NULL */
};

typedef int ctl_run_fn(const struct ctl *, int argc, char **argv);

ctl_run_fn ctl_keygen, ctl_pubkey, ctl_token; /* ctl_token.c */
ctl_run_fn ctl_listen, ctl_send;	      /* ctl_relay.c */
ctl_run_fn ctl_status, ctl_stores;	      /* ctl_control.c */

/* Says how the command named in argv[0] is called; returns EX_USAGE. */
int ctl_usage(const char *command);

/*
 * The configuration named by -f, else that at CONFIG_PATH if there is one,
 * else the defaults.  NULL: the log said why.  The caller frees it.
 */
struct config *ctl_config(const struct ctl *);

/* What to exit with after a file or socket failed with errno. */
int ctl_exit_errno(int error);

#endif
