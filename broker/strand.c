/* The turn goes back and forth; whoever has not got it sleeps. */
#include <errno.h>
#include <stdlib.h>

#include "broker/strand.h"
#include "broker/thread.h"

enum strand_turn { TURN_CALLER, TURN_WORK, TURN_QUIT };

struct strand {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	enum strand_turn turn;
	void (*work)(void *); /* NULL: none under way */
	void *arg;
};

static void *strand_main(void *);
static void strand_hand(struct strand *, enum strand_turn);

struct strand *
strand_new(void)
{
	struct strand *s;
	int error;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	if ((error = thread_start(&s->thread, strand_main, s)) == 0)
		return (s);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
	errno = error;
	return (NULL);
}

void
strand_free(struct strand *s)
{
	pthread_mutex_lock(&s->lock);
	s->turn = TURN_QUIT;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void
strand_start(struct strand *s, void (*work)(void *), void *arg)
{
	pthread_mutex_lock(&s->lock);
	s->work = work;
	s->arg = arg;
	pthread_mutex_unlock(&s->lock);
}

int
strand_go(struct strand *s)
{
	int more;

	pthread_mutex_lock(&s->lock);
	strand_hand(s, TURN_WORK);
	while (s->turn != TURN_CALLER)
		pthread_cond_wait(&s->wake, &s->lock);
	more = s->work != NULL;
	pthread_mutex_unlock(&s->lock);
	return (more);
}

void
strand_pause(struct strand *s)
{
	pthread_mutex_lock(&s->lock);
	strand_hand(s, TURN_CALLER);
	while (s->turn != TURN_WORK)
		pthread_cond_wait(&s->wake, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static void *
strand_main(void *arg)
{
	struct strand *s = arg;

	pthread_mutex_lock(&s->lock);
	while (s->turn != TURN_QUIT) {
		if (s->turn == TURN_CALLER) {
			pthread_cond_wait(&s->wake, &s->lock);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		s->work(s->arg);
		pthread_mutex_lock(&s->lock);
		s->work = NULL;
		strand_hand(s, TURN_CALLER);
	}
	pthread_mutex_unlock(&s->lock);
	return (NULL);
}

static void
strand_hand(struct strand *s, enum strand_turn to)
{
	s->turn = to;
	pthread_cond_broadcast(&s->wake);
}
