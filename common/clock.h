/*
 * The time that only goes forward: for deadlines and durations, never for what
 * people or tokens call the time.
 */
#ifndef QUIRE_CLOCK_H
#define QUIRE_CLOCK_H

#include <stdint.h>

int64_t clock_us(void);
int64_t clock_ms(void);

#endif
