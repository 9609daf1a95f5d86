/* A stand-in for the tools that the agent looks for: one program that acts as its first word says, built under many
 * names and version resources (tools.rc). It ends by itself after five minutes. */
#include <winsock2.h>
#include <windows.h>
#include <stdlib.h>
#include <string.h>

#ifndef WDA_EXCLUDEFROMCAPTURE
#define WDA_EXCLUDEFROMCAPTURE 0x11
#endif
#define LIFE_MS 300000

static void click(void)
{
    INPUT input[2] = {0};
    input[0].type = input[1].type = INPUT_MOUSE;
    input[0].mi.dwFlags = MOUSEEVENTF_LEFTDOWN;
    input[1].mi.dwFlags = MOUSEEVENTF_LEFTUP;
    SendInput(2, input, sizeof *input);
}

static void type(void)
{
    INPUT input[2] = {0};
    input[0].type = input[1].type = INPUT_KEYBOARD;
    input[0].ki.wVk = input[1].ki.wVk = VK_F13;
    input[1].ki.dwFlags = KEYEVENTF_KEYUP;
    SendInput(2, input, sizeof *input);
}

static HWND window(DWORD style)
{
    WNDCLASSA form = {0};
    form.lpfnWndProc = DefWindowProcA;
    form.lpszClassName = "TrueSeatTestTool";
    form.hInstance = GetModuleHandleA(NULL);
    RegisterClassA(&form);
    return CreateWindowExA(style, form.lpszClassName, "tool", WS_OVERLAPPEDWINDOW | WS_VISIBLE, 50, 50, 300, 200, NULL,
                           NULL, form.hInstance, NULL);
}

static void pump(DWORD until_ms)
{
    MSG message;
    DWORD start = GetTickCount();
    while (GetTickCount() - start < until_ms) {
        while (PeekMessageA(&message, NULL, 0, 0, PM_REMOVE)) DispatchMessageA(&message);
        Sleep(10);
    }
}

static void listen_on(int port)
{
    WSADATA data;
    struct sockaddr_in at = {0};
    SOCKET server;
    char none;
    WSAStartup(MAKEWORD(2, 2), &data);
    server = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_family = AF_INET;
    at.sin_port = htons((u_short)port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(server, (struct sockaddr *)&at, sizeof at) == 0) listen(server, 1);
    recv(server, &none, 1, 0); /* in vain; but Wine finds a socket's owner by its files, and gives it the file now */
    Sleep(LIFE_MS);
}

int main(int count, char **words)
{
    const char *act = count > 1 ? words[1] : "idle";
    int number = count > 2 ? atoi(words[2]) : 1000;
    DWORD start = GetTickCount();
    HWND shown;

    if (strcmp(act, "listen") == 0) listen_on(number);
    if (strcmp(act, "window") == 0) {
        shown = window(0);
        SetForegroundWindow(shown);
        pump(LIFE_MS);
    }
    if (strcmp(act, "hide") == 0) {
        shown = window(WS_EX_TOPMOST);
        SetWindowDisplayAffinity(shown, WDA_EXCLUDEFROMCAPTURE);
        pump(LIFE_MS);
    }
    while (GetTickCount() - start < LIFE_MS) {
        if (strcmp(act, "click") == 0) click();
        if (strcmp(act, "type") == 0) type();
        if (strcmp(act, "front") == 0) { /* takes the foreground, gives it back by going away, and again */
            shown = window(0);
            SetForegroundWindow(shown);
            pump(number);
            DestroyWindow(shown);
            pump(number);
            continue;
        }
        Sleep(number);
    }
    return 0;
}
