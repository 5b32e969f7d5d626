# Scripts of the administrator's own, each in a process of its own that is never ended here.

# What a child process runs: the script that lies in a file, if it is the one of the plan. It sets nothing but what it
# needs itself. A script is read as Windows PowerShell reads one from a file: by its byte order mark, else as ANSI. An error that
# nobody caught is exit code 1 with its text in the output; exit codes of the script's own pass through.
$CauScriptLoader = {
    try {
        $cauBytes = [IO.File]::ReadAllBytes('@PATH@')
        $cauHash = (New-Object -TypeName System.Security.Cryptography.SHA256CryptoServiceProvider).ComputeHash($cauBytes)
        if ([BitConverter]::ToString($cauHash).Replace('-', '') -ne '@SUM@') { throw 'The script is not the one of the plan: its SHA-256 differs.' }
        $cauStream = New-Object -TypeName System.IO.MemoryStream -ArgumentList @(, $cauBytes)
        $cauReader = New-Object -TypeName System.IO.StreamReader -ArgumentList $cauStream, ([Text.Encoding]::Default), $true
        & ([scriptblock]::Create($cauReader.ReadToEnd()))
    } catch {
        [Console]::Error.Write((Out-String -InputObject $_))
        exit 1
    }
    exit 0
}

# Get-CauScriptCommand is the command line of a child: cmd.exe gives standard output and error one file in common,
# which goes on being written when this job does not, and an empty input.
function Get-CauScriptCommand {
    param(
        [string]$Script,
        [string]$Sum,
        [string]$Output
    )
    foreach ($path in $Script, $Output) {
        # Between quotes these alone mean something to cmd.exe.
        if ($path -match '["%\r\n]') {
            throw (New-CauFailure -Kind 'refused' -Message "$path cannot stand on a command line")
        }
    }
    $loader = $CauScriptLoader.ToString().Replace('@PATH@', $Script.Replace("'", "''")).Replace('@SUM@', $Sum)
    $shell = Join-Path -Path $env:SystemRoot -ChildPath 'System32\WindowsPowerShell\v1.0\powershell.exe'
    $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($loader))
    return '/d /s /c ""' + $shell + '" -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand ' + $encoded + ' < nul > "' + $Output + '" 2>&1"'
}

# New-CauTail follows a growing file in the code page that a console of this computer has.
function New-CauTail {
    param([string]$Path)
    $page = [string](Get-CauValue -Path 'SYSTEM\CurrentControlSet\Control\Nls\CodePage' -Name 'OEMCP' -Default '437')
    return @{ path = $Path; offset = [long]0; truncated = $false; encoding = [Text.Encoding]::GetEncoding([int]$page) }
}

# Read-CauTail makes an event of each line that is new, up to 1 MiB of them; All takes what has no line end, too.
# It catches for itself: output decides nothing, and what is printed goes on being printed.
function Read-CauTail {
    param(
        [System.Collections.IDictionary]$Job,
        [System.Collections.IDictionary]$Tail,
        [switch]$All
    )
    try {
        while (-not $Tail['truncated'] -and [IO.File]::Exists($Tail['path'])) {
            $part = Read-CauBytes -Path $Tail['path'] -Offset $Tail['offset'] -Limit 65536
            $count = [int]$part['count']
            if ($count -eq 0) { return }
            $end = 1 + [Array]::LastIndexOf($part['bytes'], [byte]10, $count - 1)
            if ($end -eq 0) {
                # A line that is not complete, unless there is no end of it.
                if (-not $All -and $count -lt 65536) { return }
                $end = $count
            }
            $room = 1048576 - $Tail['offset']
            if ($end -gt $room) {
                $end = [int]$room
                $Tail['truncated'] = $true
            }
            if ($end -eq 0) { return }
            $text = $Tail['encoding'].GetString($part['bytes'], 0, $end)
            $Tail['offset'] += $end
            if ($text.EndsWith("`n", [StringComparison]::Ordinal)) { $text = $text.Substring(0, $text.Length - 1) }
            foreach ($line in $text.Split([char]"`n")) {
                Write-CauEvent -Job $Job -Kind 'output' -Message $line.TrimEnd([char]"`r")
            }
        }
    } catch {
        $Job['missed'] = 1 + $Job['missed']
    }
}
