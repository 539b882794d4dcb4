/*
 * The words of option -l made into sockets that listen.
 */
#ifndef QUIRE_BIND_H
#define QUIRE_BIND_H

/*
 * "host:port" or "[v6]:port", where no host is every address: calls add with
 * arg and each socket, which does not wait, is closed on exec, and is the
 * callee's from then on.  Fatal when there is no such address, or it is taken.
 */
void bind_address(const char *address, void (*add)(void *arg, int fd),
    void *arg);

#endif
