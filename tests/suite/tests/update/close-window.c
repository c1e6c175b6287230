/* close-window PID: asks the windows of a process to close, as the × of a window manager does. WebDriver ends the
   program instead, and with it what the program does when its window has closed. */
#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <stdlib.h>

static int asked;

static void ask(Display *display, Window window, unsigned long process)
{
    Atom kind, delete = XInternAtom(display, "WM_DELETE_WINDOW", False);
    int format;
    unsigned long count, left;
    unsigned char *value = NULL;
    Atom owner = XInternAtom(display, "_NET_WM_PID", False);
    if (XGetWindowProperty(display, window, owner, 0, 1, False, XA_CARDINAL, &kind, &format, &count, &left, &value) ==
            Success && value && count == 1 && *(unsigned long *)value == process) {
        XEvent event = {0};
        event.xclient.type = ClientMessage;
        event.xclient.window = window;
        event.xclient.message_type = XInternAtom(display, "WM_PROTOCOLS", False);
        event.xclient.format = 32;
        event.xclient.data.l[0] = (long)delete;
        event.xclient.data.l[1] = CurrentTime;
        XWindowAttributes about;
        if (XGetWindowAttributes(display, window, &about) && about.map_state == IsViewable) {
            XSendEvent(display, window, False, NoEventMask, &event);
            asked = 1;
        }
    }
    if (value)
        XFree(value);
}

int main(int count, char **words)
{
    Display *display = XOpenDisplay(NULL);
    Window root, parent, *windows = NULL;
    unsigned int each, all = 0;
    if (count != 2 || !display)
        return 2;
    XQueryTree(display, DefaultRootWindow(display), &root, &parent, &windows, &all);
    for (each = 0; each < all; each++)
        ask(display, windows[each], strtoul(words[1], NULL, 10));
    XCloseDisplay(display);
    return asked ? 0 : 1;
}
