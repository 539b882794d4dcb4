/*
 * quirectl completion: what a shell completes its commands with, made of the
 * table of commands, so that it cannot fall behind.  After a command's name
 * come its options, read off its usage, and the words that ctl_choices knows;
 * everything else is a file to the shell.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "broker/ctl.h"

typedef void completion_fn(void);

static completion_fn completion_bash, completion_zsh, completion_fish;
static void completion_cases(void);
static void completion_heads(void);
static void completion_tails(const char *head, size_t n);
static void completion_words(const struct ctl_command *);
static int completion_first(size_t at, size_t n);
static size_t completion_head(const char *name);

static const struct {
	const char *name;
	completion_fn *print;
} completion_shells[] = {
	{ "bash", completion_bash },
	{ "zsh", completion_zsh },
	{ "fish", completion_fish },
};

/* Words that stand for themselves in a usage. */
static const struct {
	const char *name;
	const char *words;
} ctl_choices[] = {
	{ "token revoke", "jti subject all" },
	{ "kick", "id subject store address" },
	{ "log-level", "error warn info debug" },
	{ "sandbox", "worker listener keeper broker fan-out opener" },
	{ "completion", "bash zsh fish" },
};

int
ctl_completion(const struct ctl *ctl, int argc, char **argv)
{
	size_t i;

	(void)ctl;
	for (i = 0; argc == 2 &&
	     i < sizeof(completion_shells) / sizeof(completion_shells[0]);
	     i++)
		if (strcmp(completion_shells[i].name, argv[1]) == 0) {
			completion_shells[i].print();
			return (fflush(stdout) == 0 ? 0 : EX_IOERR);
		}
	return (ctl_usage(argv[0]));
}

/* $name: the words so far, without options before the command. */
static void
completion_bash(void)
{
	puts("# bash completion for quirectl, made by `quirectl completion'\n"
	     "_quirectl()\n"
	     "{\n"
	     "\tlocal i=1 cur=${COMP_WORDS[COMP_CWORD]} name= words=\n"
	     "\twhile [ \"$i\" -lt \"$COMP_CWORD\" ]; do\n"
	     "\t\tcase ${COMP_WORDS[i]} in\n"
	     "\t\t-f)\ti=$((i + 1)) ;;\n"
	     "\t\t-j)\tname=\"${name:+$name -j}\" ;;\n"
	     "\t\t*)\tname=\"${name:+$name }${COMP_WORDS[i]}\" ;;\n"
	     "\t\tesac\n"
	     "\t\ti=$((i + 1))\n"
	     "\tdone\n"
	     "\tcase \"$name \" in");
	completion_cases();
	puts("\tesac\n"
	     "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	     "}\n"
	     "complete -o default -F _quirectl quirectl");
}

static void
completion_zsh(void)
{
	puts("#compdef quirectl\n"
	     "# made by `quirectl completion'\n"
	     "_quirectl()\n"
	     "{\n"
	     "\tlocal -i i=2\n"
	     "\tlocal -a said=(\"${words[@]}\")\n"
	     "\tlocal name= words=\n"
	     "\twhile [ \"$i\" -lt \"$CURRENT\" ]; do\n"
	     "\t\tcase ${said[i]} in\n"
	     "\t\t-f)\ti=$((i + 1)) ;;\n"
	     "\t\t-j)\tname=\"${name:+$name -j}\" ;;\n"
	     "\t\t*)\tname=\"${name:+$name }${said[i]}\" ;;\n"
	     "\t\tesac\n"
	     "\t\ti=$((i + 1))\n"
	     "\tdone\n"
	     "\tcase \"$name \" in");
	completion_cases();
	puts("\tesac\n"
	     "\t[ -z \"$words\" ] || compadd -- ${=words}\n"
	     "\t[ -z \"$name\" ] || _files\n"
	     "}\n"
	     "_quirectl \"$@\"");
}

static void
completion_fish(void)
{
	const struct ctl_command *c;
	size_t i, n;

	printf("# made by `quirectl completion'\n"
	       "complete -c quirectl -n __fish_use_subcommand -f -a '");
	completion_heads();
	puts("'");
	for (i = 0; i < ctl_command_count; i++) {
		c = &ctl_commands[i];
		n = completion_head(c->name);
		if (c->name[n] != '\0' && completion_first(i, n)) {
			printf("complete -c quirectl -n "
			       "'__fish_seen_subcommand_from %.*s; and not "
			       "__fish_seen_subcommand_from ",
			    (int)n, c->name);
			completion_tails(c->name, n);
			printf("' -f -a '");
			completion_tails(c->name, n);
			puts("'");
		}
		printf("complete -c quirectl -n "
		       "'__fish_seen_subcommand_from %.*s",
		    (int)n, c->name);
		if (c->name[n] != '\0')
			printf("; and __fish_seen_subcommand_from %s",
			    c->name + n + 1);
		printf("' -a '");
		completion_words(c);
		puts("'");
	}
}

/* The lines of a case over "$name " that set $words. */
static void
completion_cases(void)
{
	const struct ctl_command *c;
	size_t i, n;

	printf("\t' ')\twords='");
	completion_heads();
	puts("' ;;");
	for (i = 0; i < ctl_command_count; i++) {
		c = &ctl_commands[i];
		printf("\t'%s '*)\twords='", c->name);
		completion_words(c);
		puts("' ;;");
	}
	for (i = 0; i < ctl_command_count; i++) {
		c = &ctl_commands[i];
		n = completion_head(c->name);
		if (c->name[n] == '\0' || !completion_first(i, n))
			continue;
		printf("\t'%.*s ')\twords='", (int)n, c->name);
		completion_tails(c->name, n);
		puts("' ;;");
	}
}

/* First words, each once. */
static void
completion_heads(void)
{
	size_t i, n;

	for (i = 0; i < ctl_command_count; i++) {
		n = completion_head(ctl_commands[i].name);
		if (completion_first(i, n))
			printf("%s%.*s", i == 0 ? "" : " ", (int)n,
			    ctl_commands[i].name);
	}
}

/* Second words of names that begin so. */
static void
completion_tails(const char *head, size_t n)
{
	const char *before = "";
	size_t i;

	for (i = 0; i < ctl_command_count; i++)
		if (completion_head(ctl_commands[i].name) == n &&
		    memcmp(ctl_commands[i].name, head, n) == 0) {
			printf("%s%s", before, ctl_commands[i].name + n + 1);
			before = " ";
		}
}

/* Options, each once, and words. */
static void
completion_words(const struct ctl_command *c)
{
	const char *before = "";
	const char *p = c->args;
	char seen[128] = "";
	size_t i;

	for (; (p = strchr(p, '-')) != NULL; p++)
		if ((p == c->args || strchr("[ \t", p[-1]) != NULL) &&
		    isalpha((unsigned char)p[1]) &&
		    !seen[(unsigned char)p[1] & 127]) {
			seen[(unsigned char)p[1] & 127] = 1;
			printf("%s-%c", before, p[1]);
			before = " ";
		}
	for (i = 0; i < sizeof(ctl_choices) / sizeof(ctl_choices[0]); i++)
		if (strcmp(ctl_choices[i].name, c->name) == 0)
			printf("%s%s", before, ctl_choices[i].words);
}

/* No command before this one begins with the same word. */
static int
completion_first(size_t at, size_t n)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (completion_head(ctl_commands[i].name) == n &&
		    memcmp(ctl_commands[i].name, ctl_commands[at].name, n) == 0)
			return (0);
	return (1);
}

static size_t
completion_head(const char *name)
{
	return (strcspn(name, " "));
}
