/*
 * What the commands of quirectl share.  A command gets its own words as argv,
 * its name first, and returns what the program exits with: 0 or one of
 * <sysexits.h>.
 */
#ifndef QUIRE_CTL_H
#define QUIRE_CTL_H

#include <sys/types.h>

#include <stdint.h>

struct config;

struct ctl {
	const char *conf_path; /* -f, or NULL */
	int as_json;	       /* -j before the command, see CTL_JSON_SELF */
};

typedef int ctl_run_fn(const struct ctl *, int argc, char **argv);

/* The commands: ctl.c. */
struct ctl_command {
	const char *name; /* one word or two */
	const char *args;
	int words; /* that must follow the name, options included */
	ctl_run_fn *run;
	/* What it prints, for -j: a shape of ctl_json.h or one of these. */
	const char *json;
};
#define CTL_JSON_NOTHING NULL /* nothing, or no lines: JSON, a script */
#define CTL_JSON_OPTION	 "-j" /* has the option itself */
#define CTL_JSON_SELF	 "+"  /* looks at as_json */
extern const struct ctl_command ctl_commands[];
extern const size_t ctl_command_count;

ctl_run_fn ctl_keygen, ctl_pubkey, ctl_token;		 /* ctl_token.c */
ctl_run_fn ctl_token_inspect;				 /* ctl_inspect.c */
ctl_run_fn ctl_token_revoke, ctl_token_revocations;	 /* ctl_revoke.c */
ctl_run_fn ctl_reload;					 /* ctl_reload.c */
ctl_run_fn ctl_keys_list, ctl_keys_add, ctl_keys_retire; /* ctl_keys.c */
ctl_run_fn ctl_log_level, ctl_trace;			 /* ctl_watch.c */
ctl_run_fn ctl_top;					 /* ctl_top.c */
ctl_run_fn ctl_token_static;				 /* ctl_static.c */
ctl_run_fn ctl_completion;				 /* ctl_completion.c */
ctl_run_fn ctl_listen, ctl_send;			 /* ctl_relay.c */
ctl_run_fn ctl_status, ctl_stores, ctl_connections,
    ctl_kick;				       /* ctl_control.c */
ctl_run_fn ctl_verify;			       /* ctl_verify.c */
ctl_run_fn ctl_quarantine;		       /* ctl_job.c */
ctl_run_fn ctl_compact;			       /* ctl_job.c */
ctl_run_fn ctl_backup;			       /* ctl_backup.c */
ctl_run_fn ctl_restore;			       /* ctl_restore.c */
ctl_run_fn ctl_export, ctl_import, ctl_delete; /* ctl_store.c */
ctl_run_fn ctl_room_import, ctl_room_export;   /* ctl_canvas.c: with -c */
ctl_run_fn ctl_sandbox;			       /* ctl_sandbox.c */

/* Says how the command named in argv[0] is called; returns EX_USAGE. */
int ctl_usage(const char *command);

/*
 * The configuration named by -f, else that at CONFIG_PATH if there is one,
 * else the defaults.  NULL: the log said why.  The caller frees it.
 */
struct config *ctl_config(const struct ctl *);

/* A connection to the control socket; wait_s 0: answers may take for ever. */
int ctl_connect(const char *path, time_t wait_s);
/* Says what is wrong with it, by errno; returns the exit status. */
int ctl_connect_failed(const char *path, int error);
/*
 * The same with a command sent, whose answer may take for ever; no words: "".
 * The descriptor, or the exit status negated after the log said why.
 */
int ctl_dial(const struct ctl *, const char *command, const char *words);
/*
 * Gives the broker a job and shows what it says, but the last line: `done', or
 * `error ...', which goes to the log.  Returns the exit status.
 */
int ctl_job(const struct ctl *, const char *command, const char *words);

/* The second half of it; takes the descriptor over. */
int ctl_job_listen(int fd);
/* 1: a key may have that name; 0: it may not, which was said. */
int ctl_kid_ok(const char *kid);
/* One store out of a backup at rest into the running broker. */
int ctl_restore_store(const struct ctl *, const char *dir, const char *store);

/*
 * Verifies a directory that no broker has open; only: NULL for all; copied: by
 * a backup, to be made whole first.  Returns the exit status.
 */
struct doc_id;
int ctl_verify_dir(const char *dir, const struct doc_id *only, int copied);
/* The store in such a directory; NULL, said why, and what to exit with. */
struct kv;
struct kv *ctl_kv_open(const char *dir, int copied, int *status);

/*
 * "90s", "15m", "1h", "30d" in seconds; a number alone is seconds.  0, -1: it
 * is no such time.
 */
int ctl_duration(const char *text, int64_t *s);

/* What to exit with after a file or socket failed with errno. */
int ctl_exit_errno(int error);

#endif
